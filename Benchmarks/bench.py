#!/usr/bin/env python3
"""Benchmarks of Cairn. `./dev bench` builds a release and calls this; README.md beside it says what is measured.

    bench.py http --binary PATH      requests per second, latency, upload throughput
    bench.py startup --binary PATH   from the start of the process to the first answer of /readyz
    bench.py state --binary PATH     journal, checkpoints, fold, delta, export, disk, memory, encryption, events
    bench.py objects --objects PATH  objects in a bucket, beside curl
    bench.py load --binary PATH      whole updates and everything else that clients do, on a schedule
"""

import argparse
import os
import sys

import harness
import http_bench
import load_bench
import objects_bench
import startup_bench
import state_bench
from generator import performance, report


def arguments():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__.split("\n")[0])
    parser.add_argument("benchmark", nargs="?", default="all",
                        choices=["all", "http", "startup", "state", "objects", "load", "page"])
    parser.add_argument("--binary", help="the server to measure")
    parser.add_argument("--repetitions", type=int)
    parser.add_argument("--seconds", type=int, default=10, help="length of each repetition of a wrk run")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--only", action="append", help="measure only this row; may be given more than once")
    parser.add_argument("--engine", choices=["sqlite", "mariadb", "mysql"], default="sqlite", help="for state and load")
    parser.add_argument("--quick", action="store_true", help="state with small counts: does the tool work?")
    parser.add_argument("--perf", metavar="SECTION", help="record a profile of the server in this section of state")
    parser.add_argument("--fold", help="the fold by itself, for the rows fold-all and fold-2")
    parser.add_argument("--sink", help="the HTTP server alone, for the rows loop, hop and upload")
    parser.add_argument("--objects", help="the object store by itself")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting for the server")
    parser.add_argument("--no-results", action="store_true", help="print only, write no file")
    load_bench.add_options(parser)
    options = parser.parse_args()
    options.load_repetitions = options.load_repetitions or options.repetitions
    options.repetitions = options.repetitions or 3
    options.settings = [tuple(setting.split("=", 1)) for setting in options.set]
    if any(len(setting) != 2 for setting in options.settings):
        parser.error("--set takes NAME=VALUE")
    return options


def main():
    options = arguments()
    names = set(options.only or [])

    def wanted(benchmark, rows=()):
        """Whether to run it: asked for by its name, or with all and, where rows are named, by one of its own."""
        return options.benchmark == benchmark or options.benchmark == "all" and (not names or names & set(rows))

    if options.benchmark == "page":
        harness.read_saved()
        conditions = harness.SAVED["load"]["conditions"]
        return performance.write(harness.SAVED, conditions, conditions["command"], options.report)
    passed, known = True, {"startup", "objects"} | {row.name for row in http_bench.rows()} | state_bench.names()
    if names - known:
        raise SystemExit(f"no such row: {', '.join(sorted(names - known))}; there are: {', '.join(sorted(known))}")
    if wanted("startup", ["startup"]):
        passed &= startup_bench.run(options)
    if wanted("http", [row.name for row in http_bench.rows()]):
        passed &= http_bench.run(options)
    if wanted("state", state_bench.names()):
        passed &= state_bench.run(options)
    if wanted("objects", ["objects"]):
        passed &= objects_bench.run(options)
    if wanted("load"):
        passed &= load_bench.run(options)
    whole = options.benchmark == "all" and not names and not options.short and not options.quick and not options.no_results
    if whole or options.report:
        conditions = harness.SAVED.get("load", {}).get("conditions") or {
            **harness.conditions(), "file_system": report.file_system(), "load_after": os.getloadavg()[0]}
        performance.write(harness.SAVED, conditions, " ".join(sys.argv[1:]), options.report)
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
