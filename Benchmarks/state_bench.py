"""State over HTTP: journal, checkpoints, fold, delta, export, disk, memory, encryption, events.

Each section starts a server of its own, sends prepared bodies with sender.c, looks at what the server has afterwards,
and records figures for its rows. README.md says what each row is.
"""

import contextlib
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

import harness
import load
import state_databases
import state_saves
import state_sizes
import state_texts


@dataclass
class Row:
    """One line of the table. MySQL and MariaDB have their own floor or none; `more` says whether more is better."""

    name: str
    unit: str
    floor: float | None = None
    stretch: float | None = None
    more: bool = False
    other_floor: float | None = None


SECTIONS = {
    "journal": (state_saves.journal, [
        Row("journal-16", "entries/s", 100_000, 300_000, True, 30_000),
        Row("journal-16-p50", "ms"),
        Row("journal-16-p99", "ms"),
        Row("journal-16-p99.9", "ms"),
        Row("journal-1", "entries/s", 60_000, 90_000, True),
        Row("journal-growth", "×", 1.1, 1.0),
    ]),
    "checkpoint": (state_texts.checkpoint, [
        Row("checkpoint-1.6MB", "MB/s", 250, 450, True),
        Row("checkpoint-16MB", "MB/s", 250, 450, True),
        Row("checkpoint-1.6MB-p50", "ms", 10, 7),
        Row("checkpoint-1.6MB-p99", "ms", 20, 12),
        Row("checkpoint-100MB", "ms", 800, 450),
    ]),
    "fold": (state_texts.fold, [
        Row("fold-all", "ms", 120, 60),
        Row("fold-all-visible", "ms", None, None),
        Row("fold-all-complete", "ms", 50, 10),
        Row("fold-all-export", "ms", None, None),
        Row("fold-2", "ms", 20, 5),
        Row("fold-100000-all", "ms", 1_300, 700),
        Row("fold-100000-2", "ms", 60, 20),
        Row("fold-2-visible", "ms", None, None),
        Row("fold-2-complete", "ms", 50, 10),
        Row("fold-2-export", "ms", None, None),
    ]),
    "delta": (state_texts.delta, [
        Row("delta-p99", "ms", 30, 15),
        Row("delta-cold", "ms", 90, 50),
    ]),
    "export": (state_texts.export, [
        Row("export-p50", "ms", 10, 5),
        Row("export-p99", "ms", 25, 10),
        Row("export-plain-p50", "ms", None, None),
        Row("export-100MB-first", "ms", 20, 5),
    ]),
    "disk": (state_sizes.disk, [
        Row("disk-10000", "KB", 400, 200),
        Row("disk-10", "KB", 12, 8),
    ]),
    "memory": (state_sizes.memory, [
        Row("memory-1-gzip", "MB", 8, 4),
        Row("memory-1-plain", "MB", 8, 4),
        Row("memory-16-gzip", "MB", 150, 80),
        Row("memory-16-plain", "MB", 150, 80),
    ]),
    "encrypt": (state_saves.encrypt, [
        Row("encrypt-batch", "values/s", 200_000, 500_000, True),
        Row("encrypt-single-p99", "ms", 3, 1.2),
    ]),
    "events": (state_saves.events, [
        Row("events", "events/s", 60_000, 200_000, True),
    ]),
}
HEADING = ["row", "median", "spread", "floor", "stretch", "CPU", "cores allow", "of ruler", "", "beside it"]


class Bench:
    """What sections work with: bodies' folder, sender, servers, and the figures so far."""

    def __init__(self, options, folder, baseline):
        self.quick, self.engine, self.options = options.quick, options.engine, options
        self.repetitions = 1 if options.quick else options.repetitions
        self.folder, self.baseline = Path(folder), baseline
        self.sender = load.Sender(folder)
        self.figures, self.section, self.profiles = {}, "", []
        self.database = None

    def count(self, full, quick):
        return quick if self.quick else full

    @contextlib.contextmanager
    def server(self):
        """A server with a new data folder and, where it is not SQLite, a new database on disk."""
        with state_databases.database(self.engine) as (settings, self.database):
            with harness.start_cairn(self.options.binary, [*settings.items(), *self.options.settings]) as server:
                server.client = load.Client(server.port)
                yield server

    def measured(self, server, plan):
        """Sends a plan; what the sender found, and the CPU seconds of the server and its database."""
        path = Path(tempfile.gettempdir()) / f"cairn-bench-{self.section}-{len(self.profiles)}.perf"
        before = self._cpu_seconds(server)
        with profiled(server, path) if self.options.perf == self.section else contextlib.nullcontext():
            found = self.sender.send(server.port, plan)
        found["server_cpu"] = self._cpu_seconds(server) - before
        if self.options.perf == self.section:
            self.profiles.append((found["server_cpu"], path))
        return found

    def _cpu_seconds(self, server):
        return server.cpu_seconds() + (harness.cpu_seconds(self.database) if self.database else 0)

    def ruler(self, plan):
        """The same requests, answered by a server that does nothing."""
        return self.sender.send(self.baseline.port, plan, any_answer=True)

    def record(self, name, values, note="", **more):
        """Keeps a figure: one value for each repetition, and what is worth knowing beside it."""
        self.figures[name] = {"values": values, "median": statistics.median(values), "note": note, **more}

    def record_rate(self, name, runs, units, ruler=None, note=""):
        """Keeps a rate in units per second, where each request brings `units`.

        What the cores allow is the rate at which server and sender together would use all of them: on a busy machine
        the one figure that still says something.
        """
        rates = [run["window_requests"] * units / run["window_seconds"] for run in runs]
        done = [sum(label["requests"] for label in run["labels"].values()) * units for run in runs]
        server = statistics.median(run["server_cpu"] / count for run, count in zip(runs, done))
        both = statistics.median((run["server_cpu"] + run["cpu_seconds"]) / count for run, count in zip(runs, done))
        extra = {"cpu_us": server * 1e6, "cores_allow": os.cpu_count() / both if both else None}
        if ruler:
            extra["of_ruler"] = statistics.median(rates) / (ruler["window_requests"] * units / ruler["window_seconds"])
        self.record(name, rates, note, **extra)


@contextlib.contextmanager
def profiled(server, path):
    command = ["perf", "record", "-q", "-F", "499", "-g", "-o", str(path), "-p", str(server.child.pid)]
    recorder = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(0.3)
    try:
        yield
    finally:
        recorder.send_signal(signal.SIGINT)
        recorder.wait(60)


def calibrate(folder):
    """What this machine can do right now: one core's inflate, durable appends, and the share of a core one gets."""
    text = os.urandom(1 << 16).hex().encode() * 12
    packed = zlib.compress(text, 6)
    began, cpu, done = time.monotonic(), time.process_time(), 0
    while time.monotonic() - began < 1:
        done += len(zlib.decompress(packed))
    spent, elapsed = time.process_time() - cpu, time.monotonic() - began
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        times = []
        for _ in range(200):
            start = time.monotonic()
            os.write(file.fileno(), text[:40_000])
            os.fdatasync(file.fileno())
            times.append(time.monotonic() - start)
    return {
        "inflate_mb_per_cpu_second": done / 1e6 / spent,
        "share_of_a_core": spent / elapsed,
        "durable_append_40kb_p50_ms": statistics.median(times) * 1e3,
        "durable_append_40kb_p99_ms": sorted(times)[197] * 1e3,
    }


def floor_of(row, engine):
    return row.floor if engine == "sqlite" else row.other_floor


def verdict(row, value, engine, quick):
    floor = floor_of(row, engine)
    if floor is None or quick:
        return ""
    if value < floor if row.more else value > floor:
        return "FAIL"
    return "stretch" if (value >= row.stretch if row.more else value <= row.stretch) else "pass"


def number(value):
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def cells(row, found, options):
    floor = floor_of(row, options.engine)
    limit = "–" if floor is None else ("≥ " if row.more else "≤ ") + number(floor)
    if "reason" in found:
        return [row.name, "–", "–", limit, number(row.stretch), "–", "–", "–", "FAIL", found["reason"]]
    values, median = found["values"], found["median"]
    spread = (max(values) - min(values)) / median * 50 if median else 0
    return [
        row.name,
        f"{number(median)} {row.unit}",
        f"±{spread:.0f} %" if len(values) > 1 else "–",
        limit,
        number(row.stretch),
        f"{number(found['cpu_us'])} µs" if "cpu_us" in found else "–",
        number(found.get("cores_allow")),
        f"{found['of_ruler']:.2g}" if "of_ruler" in found else "–",
        found["verdict"],
        found["note"],
    ]


def run_sections(bench, wanted):
    for name, (section, rows) in SECTIONS.items():
        if not any(row in wanted for row in rows):
            continue
        bench.section, began = name, time.monotonic()
        print(f"  {name} …", end="", flush=True)
        reason = None
        try:
            section(bench)
        except harness.NoFigure as error:
            reason = str(error)
        print(f" {time.monotonic() - began:.0f} s")
        for row in rows:
            if row.name not in bench.figures:
                bench.figures[row.name] = {"reason": reason or "was not measured", "verdict": "FAIL"}


def print_profile(profiles):
    """The functions that took most of the run which took most CPU; the profiles of the others are removed."""
    spent, path = max(profiles)
    for _, other in profiles:
        if other != path:
            other.unlink(missing_ok=True)
    print(f"\nwhere the server spent {spent:.1f} s of CPU ({path}), by thread and library, then by function:")
    for order, least in (("comm,dso", "2"), ("symbol", "1.5")):
        command = ["perf", "report", "-i", str(path), "--stdio", "--no-children", "-g", "none", "--sort", order]
        text = subprocess.run([*command, "--percent-limit", least], capture_output=True, text=True).stdout
        plain = subprocess.run(["swift", "demangle", "--compact"], input=text, capture_output=True, text=True).stdout
        lines = [line.rstrip()[:150] for line in (plain or text).splitlines() if line and not line.startswith("#")]
        print("\n".join(lines))


def names():
    """What `--only` takes: rows and sections."""
    return {row.name for _, rows in SECTIONS.values() for row in rows} | set(SECTIONS)


def wanted_rows(options):
    rows = [row for _, rows in SECTIONS.values() for row in rows]
    if options.only:
        unknown = [name for name in options.only if name not in names()]
        if unknown and options.benchmark == "state":
            raise SystemExit(f"no such row or section: {', '.join(unknown)}; there are: {', '.join(sorted(names()))}")
        of_sections = [row for name in options.only for row in SECTIONS.get(name, (None, []))[1]]
        return [row for row in rows if row.name in options.only or row in of_sections]
    return SECTIONS["journal"][1] if options.engine != "sqlite" else rows


def run(options):
    wanted = wanted_rows(options)
    conditions = {**harness.conditions(), "engine": options.engine, "quick": options.quick}
    with load.folder_in_memory() as folder, harness.start_baseline() as baseline:
        conditions.update(calibrate(tempfile.gettempdir()))
        bench = Bench(options, folder, baseline)
        run_sections(bench, wanted)
        conditions["load_after"] = os.getloadavg()[0]
        conditions["share_after"] = calibrate(tempfile.gettempdir())["share_of_a_core"]
    table = [HEADING]
    results = {row.name: bench.figures[row.name] for row in wanted}
    for row in wanted:
        found = results[row.name]
        found.setdefault("verdict", verdict(row, found.get("median", 0), options.engine, options.quick))
        found.update(unit=row.unit, floor=floor_of(row, options.engine), stretch=row.stretch)
        table.append(cells(row, found, options))
    width = max(len(line[-1]) for line in table)
    print()
    harness.print_table([[*line[:-1], line[-1].ljust(width)] for line in table])
    print_conditions(conditions, bench)
    if bench.profiles:
        print_profile(bench.profiles)
    if not options.no_results and not options.quick:
        name = "state" if options.engine == "sqlite" else f"state-{options.engine}"
        if options.only:
            harness.save_some(name, conditions, results, " ".join(sys.argv[1:]))
        else:
            harness.save(name, {"conditions": conditions, "results": results})
    return all(found["verdict"] != "FAIL" for found in results.values())


def print_conditions(c, bench):
    print(
        f"{c['engine']}, {bench.repetitions} repetitions after a warm-up, sender on the same {c['cores']} cores; "
        f"{c['processor']}, kernel {c['kernel']}, Swift {c['swift']}, commit {c['commit']}\n"
        f"load {c['load_before']:.1f} before, {c['load_after']:.1f} after; a busy loop got {c['share_of_a_core']:.0%} "
        f"of a core before and {c['share_after']:.0%} after\nzlib inflates {c['inflate_mb_per_cpu_second']:,.0f} MB "
        f"per CPU second; a durable append of 40 KB takes "
        f"{c['durable_append_40kb_p50_ms']:.2f} ms (p99 {c['durable_append_40kb_p99_ms']:.2f})"
    )
    if c["quick"]:
        print("Small counts: these figures say only that the tool and the server work.")
    elif harness.busy(c) or c["share_after"] < 0.9:
        print("The machine was busy: times and rates are too bad; CPU, what the cores allow, disk and memory hold.")
