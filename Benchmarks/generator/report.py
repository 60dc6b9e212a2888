"""Tables of the load generator."""

import subprocess
import tempfile

HEADING = ["scenario", "at once", "jobs/s", "req/s", "MB/s", "entries/s", "rate", "p50 ms", "p99 ms", "p99.9", "max",
           "CPU ms/req", "+MB", "KB written", "syncs", "KB disk", "cores", "own", "of ruler"]


def number(value, scale=1.0):
    """A figure with three digits; a dash where it is unknown."""
    if value is None:
        return "–"
    value *= scale
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def cells(row):
    if row.get("reason"):
        return [row["name"], "", (row["reason"] if row["reason"].startswith("not run") else "no score: " + row["reason"])[:160]] + [""] * (len(HEADING) - 3)
    if "jobs" not in row:
        figures = {name: value for name, value in row.items() if name not in ("name", "level")}
        return [row["name"], row["level"], ", ".join(f"{name} {shown(value)}" for name, value in figures.items())] + [
            ""] * (len(HEADING) - 3)
    jobs = row["jobs"]
    return [row["name"], row["level"], number(row["capacity"]), number(row["requests_per_s"]), number(row["mb_per_s"]),
            number(row["entries_per_s"]), number(row["rate"]), number(jobs["p50"]), number(jobs["p99"]),
            number(jobs["p99.9"]), number(jobs["max"]), number(row["cpu_ms_per_request"]),
            number(row["peak_over_idle_mb"]), number(row["written_per_job"], 1e-3), number(row["syncs_per_job"]),
            number(row["disk_growth_per_job"], 1e-3), number(row["server_cores"]), number(row["generator_cores"]),
            number(row["of_ruler"])]


def shown(value):
    return number(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)


def table(rows):
    """For the terminal: wide texts of rows without figures stand below it."""
    lines = [cells(row) for row in rows]
    return [HEADING] + [line if len(str(line[2])) < 20 else [*line[:2], "see below", *line[3:]] for line in lines]


def remarks(rows, conditions):
    """What one must know to read the table, and what has no figures."""
    said = [f"{line[0]}: {line[2]}" for line in map(cells, rows) if len(str(line[2])) >= 20]
    said.append("jobs/s, req/s, MB/s (before compression), entries/s and cores: closed loop. Latencies: jobs on a schedule "
                "of `rate` per second, from the scheduled instant. KB written, syncs and KB disk: for one job.")
    if not any(row.get("syncs_per_job") is not None for row in rows):
        said.append("syncs: not counted, since /proc has no such count and `perf stat` of system calls is not allowed here.")
    late = sum(row.get("late", 0) for row in rows)
    waiting = sum(row.get("unstarted", 0) for row in rows)
    if late:
        said.append(f"{late} jobs began more than 5 ms late because the generator had no processor.")
    if waiting:
        said.append(f"{waiting} jobs were due but could not begin before the end: the rate was more than the server bears.")
    if any((row.get("generator_cores") or 0) > (row.get("server_cores") or 1e9) for row in rows):
        said.append("In some rows the generator used more CPU than the server: there it measures itself.")
    said.append(f"{conditions['cores']} cores, {conditions['processor']}, kernel {conditions['kernel']}, "
                f"{conditions['file_system']}, commit {conditions['commit']}, load {conditions['load_before']:.1f} before "
                f"and {conditions['load_after']:.1f} after, {conditions['engine']}, seed {conditions['seed']}"
                + (", short runs: figures say only that generator and server work" if conditions["short"] else ""))
    return "\n".join(said)


def file_system():
    """The kind of file system that servers' folders are on."""
    found = subprocess.run(["stat", "-f", "-c", "%T", tempfile.gettempdir()], capture_output=True, text=True)
    return found.stdout.strip() or "unknown"

