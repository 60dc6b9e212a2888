"""K: the server is killed again and again under updates of 16 stacks, with clients that repeat to completion; then, on
SQLite, the power of the disk below it is cut.

The work is done by the loops process-kill (database-kill on MySQL and MariaDB) and power-cut of Tests/Faults, which keep a
ledger of what was acknowledged and compare exports, every version, histories, events and leases with it; here it is
counted.
"""

import os
import re
import subprocess
import sys

import harness

LETTER, TITLE = "K", "crash"
FAULTS = harness.HERE.parent / "Tests" / "Faults" / "faults.py"


def run(context):
    options = context.options
    if options.remote:
        context.fail("K crash", "not run: only a server that the generator starts can be killed")
        return
    is_sqlite = options.engine == "sqlite"
    loop = "process-kill" if is_sqlite else "database-kill-" + options.engine
    count(context, "K crash", 16, loop, "kills", options.kills, context.pick(1000, 2))
    if is_sqlite:
        count(context, "K power cuts", 8, "power-cut", "cuts", options.cuts, context.pick(200, 2))


def count(context, name, stacks, loop, what, wanted, usual):
    """Runs a loop so many times, none at all when that is what was asked for."""
    cycles = usual if wanted is None else wanted
    if not cycles:
        return
    environment = {**os.environ, "CAIRN_BIN": str(context.options.binary)}
    command = [sys.executable, str(FAULTS), loop, "--cycles", str(cycles), "--seed", str(context.seed)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    text = done.stdout + done.stderr
    if done.returncode:
        raise harness.NoFigure(" ".join(text.split())[:400])
    reason = re.search(rf"^{loop}: (not run: .*)$", text, re.MULTILINE)
    if reason:
        context.fail(name, reason[1])
    else:
        context.record(name, stacks, **figures(text, what))


def figures(text, what):
    """What the loop prints, as figures."""
    cycles = re.search(r"^\S+: (\d+) cycles, (\d+) lost, (\d+) differing", text, re.MULTILINE)
    counts = {each: int(number) for number, each in re.findall(r"(\d+) (updates|entries|comparisons|retries)\b", text)}
    return {what: int(cycles[1]), **counts, "lost": int(cycles[2]), "difference": int(cycles[3])}
