"""The load generator: scenarios A to M and P on a schedule, each checked by what is exported at its end."""

import json
import os
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

import adapters
import harness
import load
import scenarios
from generator import baseline, report
from generator.context import Context


def add_options(parser):
    """What only `load` takes, and what else `load` makes of the options of all."""
    group = parser.add_argument_group("load")
    group.add_argument("--scenario", help="letters, separated by commas; all without it")
    group.add_argument("--short", action="store_true", help="seconds instead of minutes: for CI")
    group.add_argument("--seed", type=int, default=1)
    group.add_argument("--json", metavar="FILE", help="write all figures there")
    group.add_argument("--warmup", type=float, help="seconds (10)")
    group.add_argument("--measure", type=float, help="seconds of each repetition (60)")
    group.add_argument("--load-repetitions", type=int, metavar="N", help="of each schedule (as --repetitions, or 3)")
    group.add_argument("--capacity", type=float, metavar="SECONDS", help="how long capacity is measured (15)")
    group.add_argument("--level", type=int, action="append", dest="levels", help="stacks at once (1, 4, 16, 64, 256)")
    group.add_argument("--rate", type=float, help="jobs per second of the schedule, instead of half of the capacity")
    group.add_argument("--stacks", type=int, metavar="N", help="no more than that in scenario L (100,000)")
    group.add_argument("--resources", type=int, metavar="N", help="no more than that in scenario C (100,000)")
    group.add_argument("--kills", type=int, help="of scenario K (1000)")
    group.add_argument("--cuts", type=int, help="of scenario Q (200)")
    group.add_argument("--step", action="store_true", help="also raise the rate until p99 of a job exceeds 100 ms")
    group.add_argument("--server", help="another server: " + ", ".join(sorted(adapters.classes())))
    group.add_argument("--url", action="append", default=[], help="its address; once for each replica")
    group.add_argument("--token", help="its access token")
    group.add_argument("--organization", default="main")
    group.add_argument("--pid", type=int, action="append", default=[], help="its processes, when they are on this machine")
    group.add_argument("--allow-remote", action="store_true", help="the server may be on another machine")
    group.add_argument("--report", metavar="FILE", help="write what docs/performance.md would say there")
    group.add_argument("--compare", action="store_true", help="fail when a ratio to the ruler has fallen")
    group.add_argument("--tolerance", type=float, default=25, help="by more than this share, in percent (25)")
    group.add_argument("--save-baseline", action="store_true", help="write Benchmarks/baseline.json")


def prepare(options):
    """Adds what scenarios ask for: how to make an adapter of another server."""
    options.remote = None
    if options.server and options.server != "cairn" or options.url:
        known = adapters.classes()
        if (options.server or "remote") not in known or not options.url or not options.token:
            raise SystemExit("another server needs --url, --token and --server " + ", ".join(sorted(known)))
        addresses = [adapters.check_address(url, options.allow_remote) for url in options.url]

        def make():
            made = known[options.server or "remote"](addresses, options.token, options.organization)
            made.processes = options.pid
            return made

        options.remote = make


def chosen(options):
    known = scenarios.all_scenarios()
    letters = options.scenario.upper().split(",") if options.scenario else list(known)
    unknown = [letter for letter in letters if letter not in known]
    if unknown:
        raise SystemExit(f"no such scenario: {', '.join(unknown)}; there are: {', '.join(known)}")
    return [known[letter] for letter in letters]


def run_one(context, module):
    """One scenario; whatever goes wrong is a row without figures."""
    lacks = context.options.remote().lacks if context.options.remote else {}
    if module.LETTER in lacks:
        context.fail(f"{module.LETTER} {module.TITLE}", "failed: " + lacks[module.LETTER])
        return
    began = time.monotonic()
    try:
        module.run(context)
    except harness.NoFigure as error:
        context.fail(f"{module.LETTER} {module.TITLE}", error)
        print(f"  {module.LETTER}: {error}", flush=True)
    print(f"  {module.LETTER} {module.TITLE}: {time.monotonic() - began:.1f} s", flush=True)


def with_others(results, letters):
    """Adds what earlier runs of the same sources have measured of other scenarios: all of them take hours together."""
    saved = harness.saved_of_same_sources("load", results["conditions"])
    if "runs" not in saved:
        return results
    runs = [{**run, "scenarios": [one for one in run["scenarios"] if one not in letters]} for run in saved["runs"]]
    rows = [row for row in saved["rows"] if row["name"].split()[0] not in letters] + results["rows"]
    return {"conditions": results["conditions"], "rows": sorted(rows, key=lambda row: row["name"].split()[0]),
            "runs": [run for run in runs if run["scenarios"]] + results["runs"]}


def run(options):
    """Runs the chosen scenarios and prints their rows; whether all have a score."""
    prepare(options)
    conditions = {**harness.conditions(), "engine": options.engine, "short": options.short, "seed": options.seed,
                  "file_system": report.file_system(), "command": " ".join(sys.argv[1:])}
    with load.folder_in_memory() as folder, harness.start_baseline() as ruler:
        context = Context(options, folder, ruler)
        for module in chosen(options):
            run_one(context, module)
    conditions["load_after"] = os.getloadavg()[0]
    conditions["ended"] = datetime.now(timezone.utc).isoformat(timespec="seconds")
    letters = [module.LETTER for module in chosen(options)]
    results = {"conditions": conditions, "rows": context.rows, "runs": [{"scenarios": letters, **conditions}]}
    print()
    harness.print_table(report.table(context.rows))
    print("\n" + report.remarks(context.rows, conditions))
    if options.json:
        Path(options.json).write_text(json.dumps(results, indent=1) + "\n")
    if not options.no_results and not options.short:
        harness.save("load", with_others(results, letters))
    harness.SAVED["load"] = results
    if options.save_baseline:
        baseline.save(context.rows, conditions)
    passed = all(row.get("reason", "not run").startswith("not run") for row in context.rows)
    return baseline.compare(context.rows, conditions, options.tolerance) and passed if options.compare else passed
