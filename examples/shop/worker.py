"""Packs what has been ordered."""

import time

from database import ask

while True:
    packed = ask("update orders set packed = true where not packed returning item")
    for item in packed.splitlines():
        print(f"packed {item}", flush=True)
    time.sleep(1)
