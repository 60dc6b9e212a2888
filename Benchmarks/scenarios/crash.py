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
FAULTS = harness.HERE.parent / "Tests" / "Faults" / "faults.py"


def run(context):
    options = context.options
    if options.remote:
        context.fail("K crash", "not run: only a server that the generator starts can be killed")
        return
    loop = "process-kill" if options.engine == "sqlite" else "database-kill-" + options.engine
    count(context, "K crash", 16, loop, "kills", options.kills or context.pick(1000, 2))


def count(context, name, stacks, loop, what, cycles):
    """Runs a loop of Tests/Faults so many times; the row says what came out, also when something was lost."""
    environment = {**os.environ, "CAIRN_BIN": str(context.options.binary)}
    command = [sys.executable, str(FAULTS), loop, "--cycles", str(cycles), "--seed", str(context.seed)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    text = done.stdout + done.stderr
    found, reason = figures(text, what), re.search(rf"^{loop}: (not run: .*)$", text, re.MULTILINE)
    if reason:
        context.fail(name, reason[1])
    elif not found:
        raise harness.NoFigure(" ".join(text.split())[:400])
    elif done.returncode:
        context.record(name, stacks, **found, reason=" ".join(text.split())[:400])
    else:
        context.record(name, stacks, **found)


def figures(text, what):
    """What the loop prints, as figures; nothing when it has not come to its end."""
    cycles = re.search(r"^\S+: (\d+) cycles, (\d+) lost, (\d+) differing", text, re.MULTILINE)
    if not cycles:
        return {}
    counts = {each: int(number) for number, each in re.findall(r"(\d+) (updates|entries|comparisons|retries)\b", text)}
    return {what: int(cycles[1]), **counts, "lost": int(cycles[2]), "difference": int(cycles[3])}
