"""K: the server is killed again and again under updates of 16 stacks, with clients that repeat to completion.

The work is done by the loop process-kill of Tests/Faults (database-kill on MySQL and MariaDB), which keeps a ledger of
what was acknowledged and compares exports, every version, histories, events and leases with it; here it is counted.
"""

import os
import re
import subprocess
import sys

import harness

LETTER, TITLE = "K", "crash"


def run(context):
    if context.options.remote:
        context.fail("K crash", "not run: only a server that the generator starts can be killed")
        return
    kills = context.options.kills or context.pick(1000, 2)
    loop = "process-kill" if context.options.engine == "sqlite" else "database-kill-" + context.options.engine
    faults = harness.HERE.parent / "Tests" / "Faults" / "faults.py"
    environment = {**os.environ, "CAIRN_BIN": str(context.options.binary)}
    command = [sys.executable, str(faults), loop, "--cycles", str(kills), "--seed", str(context.seed)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise harness.NoFigure(" ".join((done.stdout + done.stderr).split())[:400])
    context.record("K crash", 16, **figures(done.stdout + done.stderr))


def figures(text):
    """What the loop prints, as figures."""
    cycles = re.search(r"^\S+: (\d+) cycles, (\d+) lost, (\d+) differing", text, re.MULTILINE)
    counts = {what: int(number) for number, what in re.findall(r"(\d+) (updates|entries|comparisons|retries)\b", text)}
    return {"kills": int(cycles[1]), **counts, "lost": int(cycles[2]), "difference": int(cycles[3])}
