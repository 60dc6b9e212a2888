"""docs/performance.md: what a whole run has measured, and which floors are met."""

import re
from pathlib import Path

import harness
from generator import report
from generator.goals import GOALS

PATH = harness.HERE.parent / "docs" / "performance.md"


def lines_of_goals(saved):
    yield "| metric | floor | measured | of ruler | |"
    yield "|---|---|---|---|---|"
    for goal in GOALS:
        value, ratio, verdict = goal.verdict(saved)
        floor = ("≥ " if goal.more else "≤ ") + report.number(goal.floor)
        measured = f"{report.number(value)} {goal.unit}" if value is not None else "–"
        yield f"| {goal.metric} | {floor} {goal.unit} | {measured} | {report.number(ratio)} | {verdict} |"


def lines_of_misses(saved):
    heading = ""
    for goal in GOALS:
        # "– p99" says nothing without the row above that it is the p99 of.
        if not goal.metric.startswith("– "):
            heading = goal.metric
        name = goal.metric if goal.metric == heading else f"{heading} {goal.metric}"
        if goal.verdict(saved)[2] == "**missed**":
            yield f"* **{name}**: {goal.why or 'not looked into yet.'}"


def lines_of_load(rows):
    heading = report.HEADING
    yield "| " + " | ".join(heading) + " |"
    yield "|" + "---|" * len(heading)
    for row in rows:
        if "jobs" in row:
            yield "| " + " | ".join(map(str, report.cells(row))) + " |"
    others = [report.cells(row) for row in rows if "jobs" not in row]
    if others:
        yield ""
        yield from (f"* {line[0]}: {line[2]}" for line in others)


def typed(command):
    """What somebody types: without the paths that Scripts/bench.sh adds."""
    return re.sub(r" --(binary|sink|fold|objects) \S+", "", f"./dev bench {command}")


def minute(conditions):
    """When a run began."""
    return conditions["date"][:16].replace("T", " ")


def text(saved, conditions, command):
    """The whole page."""
    c = conditions
    runs = saved.get("load", {}).get("runs", [])
    verdicts = [goal.verdict(saved)[2] for goal in GOALS]
    counts = ", ".join(f"{verdicts.count(kind)} {kind.strip('*')}" for kind in ("met", "**missed**", "not run"))
    lines = [
        "# Performance", "",
        "Written by `./dev bench`; do not edit. [Benchmarks/README.md](../Benchmarks/README.md) says how each figure is "
        "taken.", "",
        f"* {c['date']}, commit {c['commit']}" + (f", `{typed(command)}`" if len(runs) < 2 else ", in pieces"),
        f"* {c['cores']} cores ({c['processor']}), kernel {c['kernel']}, file system {c['file_system']}, Swift {c['swift']}",
        "* begun at (UTC): " + ", ".join(
            f"{name} {minute(results['conditions'])}" for name, results in saved.items()),
        *(f"* {name} again, {', '.join(run['rows'])}: {minute(run)}, `{typed(run['command'])}`"
          for name, results in saved.items() for run in results.get("again", [])),
        *(f"* scenarios {', '.join(run['scenarios'])}: {minute(run)}, load {run['load_before']:.1f}, "
          f"`{typed(run['command'])}`" for run in runs if len(runs) > 1),
        f"* load {c['load_before']:.1f} before and {c['load_after']:.1f} after; server and generator on the same cores",
    ]
    if harness.busy(*(results["conditions"] for results in saved.values()), *runs):
        lines += ["", "**The machine was busy: times and rates are too bad.** Ratios to the ruler, memory and disk hold."]
    lines += ["", "## Floors", "", f"Of {len(GOALS)}: {counts}. *Of ruler* is the rate as a share of `baseline.c`'s, a server "
              "that answers everything with the same bytes, in the same run.", "", *lines_of_goals(saved)]
    misses = list(lines_of_misses(saved))
    if misses:
        lines += ["", "## What is missed, and why", "", *misses]
    rows = saved.get("load", {}).get("rows", [])
    if rows:
        lines += ["", "## Load generator", "", *lines_of_load(rows), "",
                  report.remarks([row for row in rows if "jobs" in row], c).replace("\n", "\n\n")]
    return "\n".join(lines) + "\n"


def write(saved, conditions, command, path=None):
    path = Path(path) if path else PATH
    path.write_text(text(saved, conditions, command))
    print(f"written: {path}")
