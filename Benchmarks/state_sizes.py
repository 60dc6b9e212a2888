"""Sections of what whole states take: disk and memory."""

import contextlib
import sqlite3
import time
from pathlib import Path

import harness
import load
from state_model import Stack
from state_texts import HUNDRED, LARGE, MEGABYTE, Changes, base_bodies, checkpoint_bodies, run_checkpoints, state_after

SMALL = 10  # resources of the many-small case


# MARK: - Disk


def used_bytes(folder):
    """What a stopped server's data takes; pages that SQLite keeps for later are not counted."""
    total = 0
    for path in Path(folder).rglob("*"):
        if not path.is_file():
            continue
        total += path.stat().st_size
        with open(path, "rb") as file:
            is_database = file.read(15) == b"SQLite format 3"
        if is_database:
            with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
                pages = [database.execute(f"PRAGMA {what}").fetchone()[0] for what in ("freelist_count", "page_size")]
            total -= pages[0] * pages[1]
    return total


def growth(server, stack, changes, updates):
    """Bytes that each of these updates adds."""
    server.halt()
    before = used_bytes(server.folder)
    server.start()
    for _ in range(updates):
        update = server.client.begin(stack)
        body = load.gzipped(changes.batch().encode())
        server.client.send("PATCH", update[0] + "/journalentries", body, update[1], [("Content-Encoding", "gzip")])
        server.client.complete(update)
    load.check_resources(server.client.export(stack), changes.texts(), f"state of {stack.name}")
    time.sleep(1)
    server.halt()
    after = used_bytes(server.folder)
    server.start()
    return (after - before) / updates


def disk(bench):
    if bench.engine != "sqlite":
        raise harness.NoFigure("the data of another engine is not in the server's folder")
    sizes = [("disk-10000", bench.count(LARGE, 1_000), bench.count(50, 5)), ("disk-10", SMALL, bench.count(200, 20))]
    tasks = [(base_bodies, bench.folder / name, name, resources) for name, resources, _ in sizes]
    bodies = load.prepare(tasks)
    with bench.server() as server:
        for (name, resources, updates), body in zip(sizes, bodies):
            stack = Stack(name)
            server.client.create(stack)
            server.client.import_state(stack, body)
            changes = Changes(stack, resources)
            growth(server, stack, changes, 3)
            bytes_each = growth(server, stack, changes, updates)
            note = f"2 of {resources:,} changed in each of {updates} updates, every version kept"
            check_versions(server.client, stack, updates + 4)
            bench.record(name, [bytes_each / 1e3], note)


def check_versions(client, stack, versions):
    """Every version must still be there: the smallest is not measured by losing the others."""
    for version in (1, versions // 2, versions):
        client.send("GET", f"{stack.path}/export/{version}", accept_gzip=True)


# MARK: - Memory


def run_memory(bench, together, body, warm):
    """Growth of the server's peak over its level when warm, while as many send one body at once."""
    with bench.server() as server:
        run_checkpoints(bench, server, [warm], together=False)
        plan, updates = load.Plan(), []
        for number in range(together):
            stack = Stack(f"memory{number}")
            server.client.create(stack)
            updates.append((stack, server.client.begin(stack, journal=False)))
            plan.connection()
            plan.request("save", "PATCH", updates[-1][1][0] + "/checkpointverbatim", updates[-1][1][1], body)
        time.sleep(1)
        server.forget_peak()
        level = server.megabytes("VmRSS")
        found = bench.measured(server, plan)
        peak = server.peak_megabytes() - level
        for _, update in updates:
            server.client.complete(update)
        afterwards = server.peak_megabytes() - level
        wanted = state_after(Stack(body.notes["stack"]), body.notes["resources"], 1).encode()
        for stack, _ in updates:
            load.check_text(server.client.export(stack), wanted, f"state of {stack.name}")
        slowest = found["labels"]["save"]["max"]
        note = f"over {level:.0f} MB; with the completes {afterwards:.0f} MB; slowest upload {slowest / 1000:.1f} s"
        return peak, note


def memory(bench):
    size, many = bench.count(HUNDRED, 2 * MEGABYTE), bench.count(16, 4)
    warm, *bodies = load.prepare([
        (checkpoint_bodies, bench.folder / "warm", "warm", MEGABYTE, 3),
        (checkpoint_bodies, bench.folder / "gzip", "hundred", size, 1),
        (checkpoint_bodies, bench.folder / "plain", "hundred", size, 1, False),
    ])
    for row, together in (("memory-1", 1), ("memory-16", many)):
        for name, body in zip(("gzip", "plain"), bodies):
            peak, note = run_memory(bench, together, body, warm)
            bench.record(f"{row}-{name}", [peak], note)
