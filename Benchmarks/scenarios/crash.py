"""K: the server is killed again and again under updates of 16 stacks, with clients that repeat to completion.

The work is done by Tests/Faults/kill.py, which keeps a ledger of what was acknowledged and compares exports, every
version, histories, events and leases with it; here it is counted.
"""

import os
import re
import subprocess
import sys
import tempfile

import harness

LETTER, TITLE = "K", "crash"


def run(context):
    if context.options.remote:
        context.fail("K crash", "not run: only a server that the generator starts can be killed")
        return
    kills = context.options.kills or context.pick(1000, 2)
    tests = harness.HERE.parent / "Tests"
    with tempfile.TemporaryDirectory(prefix="cairn-bench-") as folder:
        environment = {**os.environ, "CAIRN_BIN": str(context.options.binary), "E2E_FOLDER": folder,
                       "PYTHONPATH": str(tests / "EndToEnd")}
        command = [sys.executable, str(tests / "Faults" / "kill.py"), context.options.engine, str(kills),
                   "--seed", str(context.seed)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise harness.NoFigure(" ".join((done.stdout + done.stderr).split())[:400])
    context.record("K crash", 16, **figures(done.stdout))


def figures(text):
    """What kill.py prints, as figures."""
    first = re.search(r"(\d+) kills in (\d+) s; slowest way back ([\d.]+) s; (\d+) retries", text)
    counts = {what: int(number) for number, what in re.findall(r"(\d+) (updates|entries|comparisons)\b", text)}
    return {"kills": int(first[1]), "seconds": int(first[2]), "slowest way back, s": float(first[3]),
            "retries": int(first[4]), **counts, "lost": 0, "doubled": 0, "difference": 0}
