"""Runs each file of `migrations` once, in the order of their names."""

from pathlib import Path

from database import ask

ask("create table if not exists migrations (name text primary key)")
done = ask("select name from migrations").splitlines()
for file in sorted(Path("migrations").glob("*.sql")):
    if file.name not in done:
        ask(f"begin; {file.read_text()}; insert into migrations values (:'name'); commit;", name=file.name)
        print(f"ran {file.name}", flush=True)
