"""Asks the database through `psql`, so that no driver has to be installed."""

import os
import subprocess


def ask(sql, **values):
    """What `sql` answers, unaligned and without headings; `:'name'` in it stands for a value, quoted."""
    command = ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"]
    command += [f"--set={name}={value}" for name, value in values.items()]
    command.append(os.environ["DATABASE_URL"])
    answer = subprocess.run(command, input=sql, capture_output=True, text=True, timeout=10)
    if answer.returncode != 0:
        raise RuntimeError(answer.stderr.strip())
    return answer.stdout.strip()
