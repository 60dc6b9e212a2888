#!/usr/bin/env python3
"""Checks that every durable step of the sources has a failpoint beside it, and that every failpoint is somewhere.

    failpoints.py FILE…   prints FILE:LINE:WHAT for each durable step without one, each point that is not at one place

A step is a line that syncs, links, renames, unlinks, commits, or hands bytes to an object store or a
table, or has one delete some.
"Beside" is within a few lines. Where a point cannot be, the line above says so: `// lint: failpoint because …`.
The points are the cases of Kernel/Failpoints/Failpoint.swift; fewer than MINIMUM of them are too few.
"""

import collections
import re
import sys

LIST = "Kernel/Failpoints/Failpoint.swift"
MINIMUM = 80
NEAR = 6

STEP = re.compile(
    r"""
    \b f(data)?sync\( | \b sync_file_range\(            # the system
  | (?<![.\w]) (?<!func\ ) (rename|link|unlink)(at2?|at)?\( (?!_) [^)]*,
  | (?<![.\w]) (?<!func\ ) unlink\(
  | (?<!func\ ) \b (syncFile|syncFolder)\( | \.sync\(\) | \b try\ sync\(   # what wraps them
  | "COMMIT" (?!,) | "VACUUM\ INTO | sqlite3_wal_checkpoint              # engines
  | \b objects\.(put|putAll|putContent|delete)\(                          # object stores
  | \b bucket\.(put|upload|complete|delete)\(
  | \b table\.write\(                                                  # the audit log elsewhere
    """,
    re.VERBOSE,
)
# What passes one: `Failpoint.reach(.a)`, `Failpoint.fails(.a)`, `meet(.a, …)` and other short forms of a module.
POINT = re.compile(r"\b(?:Failpoint\.\w+|meet)\(\s*\.(\w+)")
COMMENT = re.compile(r"^\s*//")
BECAUSE = re.compile(r"^\s*// lint: failpoint because ")
CASES = re.compile(r"^    case (.+)$", re.MULTILINE)


def steps_without(lines):
    """Numbers of lines with a durable step and no point near."""
    points = [number for number, line in enumerate(lines) if POINT.search(line)]
    for number, line in enumerate(lines):
        if COMMENT.match(line) or not STEP.search(line):
            continue
        if number and BECAUSE.match(lines[number - 1]):
            continue
        if not any(abs(number - point) <= NEAR for point in points):
            yield number + 1


def main(paths):
    found, places, cases, list_path = [], collections.defaultdict(list), {}, None
    for path in paths:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        if path.endswith(LIST):
            list_path = path
            for match in CASES.finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                cases.update({name.strip(): line for name in match[1].split(",")})
            continue
        if "/Failpoints/" in path:
            continue
        lines = text.split("\n")
        found += [(path, number, "step") for number in steps_without(lines)]
        for number, line in enumerate(lines, 1):
            for name in POINT.findall(line):
                places[name].append((path, number))
    if list_path:
        found += [(list_path, line, name) for name, line in cases.items() if len(places[name]) != 1]
        if len(cases) < MINIMUM:
            found.append((list_path, 1, "%d points" % len(cases)))
    for path, line, what in found:
        print("%s:%d:%s" % (path, line, what))


if __name__ == "__main__":
    main(sys.argv[1:])
