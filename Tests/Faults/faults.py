#!/usr/bin/env python3
"""Fault loops: each breaks one thing again and again and compares what the server says with what it has acknowledged.

    faults.py [--long | --release] [--seed SEED] [--jobs N] [--results FILE] [NAME…]

Each loop prints one line, `NAME: N cycles, N lost, N differing`, or `NAME: not run: reason`. Anything but zero fails,
and so do zero cycles. The same seed sends the same documents and makes the same faults, as far as timing allows it.
CAIRN_BIN names the server's executable; CAIRN_TEST_… the test databases, as `./dev services env` prints them.
"""
import argparse
import concurrent.futures
import importlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "EndToEnd")]

from loop import NotPossible, Run  # noqa: E402  (found by the path above)
from table import LOOPS  # noqa: E402

FORMS = ("short", "long", "release")


def run_one(loop, cycles, seed, folder):
    """In this process: the result line; the traceback of what the loop itself did wrong is on stderr."""
    run = Run(loop.name, cycles, seed, folder)
    try:
        module = importlib.import_module("loops." + loop.module)
        module.run(run, **loop.options)
    except NotPossible as reason:
        return "%s: not run: %s" % (loop.name, reason), False
    except Exception:  # a loop that breaks has shown nothing
        traceback.print_exc()
        run.violation("loop", "broke off: " + traceback.format_exc(limit=1).strip().splitlines()[-1])
    finally:
        run.close()
    for _, where, problem in run.ledger.violations[:20]:
        run.say("%s: %s" % (where, problem))
    return run.result(), not run.ledger.violations and run.done > 0


def in_process(loop, cycles, seed, folder):
    """In a process of its own: the line, and "ok", "failed" or "not run"."""
    os.makedirs(folder)
    command = [sys.executable, os.path.abspath(__file__), "--one", folder, "--cycles", str(cycles), "--seed", seed,
               loop.name]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
    line = ended.stdout.strip() or "%s: 0 cycles, 0 lost, 1 differing" % loop.name
    outcome = "not run" if ": not run: " in line else "failed" if ended.returncode else "ok"
    if outcome != "failed":
        shutil.rmtree(folder, ignore_errors=True)
    return line, outcome


def check_the_checkers():
    """Before anything is believed: what was lost, doubled or out of order must be found."""
    command = [sys.executable, "-m", "unittest", "discover", "-s", HERE, "-p", "test_*.py", "-t", HERE]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path[:2])}
    tests = subprocess.run(command, env=environment, capture_output=True, text=True)
    if tests.returncode or "Ran 0 tests" in tests.stderr:
        sys.exit("the tests of the checkers fail:\n" + tests.stderr)


def run_all(loops, options, form):
    print("seed %s" % options.seed, file=sys.stderr)
    root, outcomes = tempfile.mkdtemp(prefix="cairn-faults-"), []
    # A copy, so that a build meanwhile does not change what is tested.
    os.environ["CAIRN_BIN"] = shutil.copy(os.environ["CAIRN_BIN"], os.path.join(root, "cairn"))
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        futures = [pool.submit(in_process, loop, getattr(loop, form) if options.cycles is None else options.cycles, options.seed,
                               os.path.join(root, loop.name)) for loop in loops]
        for future in concurrent.futures.as_completed(futures):
            line, outcome = future.result()
            outcomes.append(outcome)
            print(line, flush=True)
            if options.results:
                with open(options.results, "a", encoding="utf-8") as results:
                    results.write("%s  (%s, seed %s, %s)\n" % (line, form, options.seed, time.strftime("%Y-%m-%d")))
    if "failed" in outcomes:
        sys.exit("seed %s; ledgers and logs below %s" % (options.seed, root))
    shutil.rmtree(root, ignore_errors=True)
    if "not run" in outcomes and form == "release":
        sys.exit("for a release, every loop must run")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    forms = parser.add_mutually_exclusive_group()
    for form in FORMS:
        forms.add_argument("--" + form, dest="form", action="store_const", const=form)
    parser.add_argument("--seed", default=str(time.time_ns()))
    parser.add_argument("--jobs", type=int, default=max(3, os.cpu_count() or 3))
    parser.add_argument("--results", metavar="FILE")
    parser.add_argument("--cycles", type=int, help="instead of the number of the form")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--one", metavar="FOLDER", help=argparse.SUPPRESS)
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    form = options.form or "short"
    if options.list:
        for loop in LOOPS:
            print("%-24s %7d %7d %8d  %s" % (loop.name, loop.short, loop.long, loop.release, loop.about))
        return
    unknown = set(options.names) - {loop.name for loop in LOOPS}
    if unknown:
        sys.exit("no loop is called %s; --list shows them" % ", ".join(sorted(unknown)))
    # A form of no cycles leaves a loop out, unless it is asked for.
    loops = [loop for loop in LOOPS if (loop.name in options.names if options.names else getattr(loop, form))]
    if options.one:
        line, good = run_one(loops[0], options.cycles, options.seed, options.one)
        print(line)
        sys.exit(0 if good else 1)
    check_the_checkers()
    run_all(loops, options, form)


if __name__ == "__main__":
    main()
