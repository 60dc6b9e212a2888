"""Sections of whole states: checkpoints, fold, delta, export."""

import hashlib
import json
import re
import statistics
import subprocess
import tempfile
from pathlib import Path

import harness
import load
from state_model import CHANGEABLE, Journal, Stack

MEGABYTE, SIXTEEN, HUNDRED = 1_040, 10_400, 64_500  # resources in states of 1.6, 16 and 100 MB
LARGE = 10_000


def complete_body(folder):
    body = load.Bodies(Path(folder) / "complete", compress=False)
    body.add('{"status":"succeeded"}')
    return body


# MARK: - Checkpoints


def state_after(stack, resources, changes):
    """The text of a state after as many changes of one resource each."""
    texts = [stack.resource(number) for number in range(resources)]
    for change in range(1, changes + 1):
        number = 2 + change * 7919 % (resources - 2)
        texts[number] = stack.resource(number, change)
    return stack.deployment(texts)


def checkpoint_body(text, sequence):
    return f'{{"version":3,"untypedDeployment":{text},"sequenceNumber":{sequence}}}'


def checkpoint_bodies(path, name, resources, saves, compress=True):
    bodies, stack = load.Bodies(path, compress), Stack(name)
    texts = [stack.resource(number) for number in range(resources)]
    for change in range(1, saves + 1):
        number = 2 + change * 7919 % (resources - 2)
        texts[number] = stack.resource(number, change)
        bodies.add(checkpoint_body(stack.deployment(texts), change))
    bodies.notes = {"stack": name, "resources": resources, "saves": saves}
    return bodies


def run_checkpoints(bench, server, bodies, together):
    """All saves of each body's stack, on a connection each or on one; checked by what is exported."""
    plan, updates = load.Plan(), []
    for body in bodies:
        stack = Stack(body.notes["stack"])
        server.client.create(stack)
        updates.append((stack, server.client.begin(stack, journal=False), body))
    for stack, update, body in updates:
        if together or not plan.connections:
            plan.connection()
        for index in range(len(body.spans)):
            plan.request("save", "PATCH", update[0] + "/checkpointverbatim", update[1], body, index)
    found = bench.measured(server, plan)
    for stack, update, body in updates:
        wanted = state_after(stack, body.notes["resources"], body.notes["saves"])
        load.check_text(server.client.export(stack), wanted, f"checkpoint of {stack.name}")
        server.client.complete(update)
        load.check_text(server.client.export(stack), wanted, f"state of {stack.name}")
    return found, plan


def record_checkpoints(bench, server, name, bodies):
    run_checkpoints(bench, server, bodies, together=True)
    runs = [run_checkpoints(bench, server, bodies, together=True) for _ in range(bench.repetitions)]
    plain = statistics.mean(size for body in bodies for size in body.plain_sizes)
    sent = statistics.mean(span[1] for body in bodies for span in body.spans)
    found = runs[0][0]["labels"]["save"]
    note = f"ratio {plain / sent:.1f}, {len(bodies)} clients: p50 {found['p50']:.0f}, p99 {found['p99']:.0f} ms"
    bench.record_rate(name, [run for run, _ in runs], plain / 1e6, bench.ruler(runs[0][1]), note)


def checkpoint(bench):
    counts = [("s", MEGABYTE, bench.count(40, 5)), ("m", bench.count(SIXTEEN, MEGABYTE), bench.count(6, 2))]
    tasks = [(checkpoint_bodies, bench.folder / f"{letter}{number}", f"{letter}{number}", size, saves)
             for letter, size, saves in counts for number in range(4)]
    hundred = (checkpoint_bodies, bench.folder / "hundred", "hundred", bench.count(HUNDRED, 4 * MEGABYTE), 1)
    hundred, *bodies = load.prepare([hundred, *tasks])
    with bench.server() as server:
        record_checkpoints(bench, server, "checkpoint-1.6MB", bodies[:4])
        record_checkpoints(bench, server, "checkpoint-16MB", bodies[4:])
        runs = [run_checkpoints(bench, server, bodies[:4], together=False)[0] for _ in range(bench.repetitions)]
        found = [run["labels"]["save"] for run in runs]
        for key in ("p50", "p99"):
            bench.record(f"checkpoint-1.6MB-{key}", [one[key] for one in found], "one client")
        runs = [run_checkpoints(bench, server, [hundred], together=False)[0] for _ in range(bench.repetitions + 1)][1:]
        times = [run["labels"]["save"]["max"] for run in runs]
        spent = statistics.median(run["server_cpu"] for run in runs)
        note = f"slowest of {len(times)}, median {statistics.median(times):.0f} ms; {spent * 1000:.0f} ms of CPU"
        bench.record("checkpoint-100MB", [max(times)], note)


# MARK: - Fold


def base_bodies(path, name, resources, compress=True):
    """A whole state, to be imported."""
    bodies, stack = load.Bodies(path, compress), Stack(name)
    bodies.add(stack.deployment([stack.resource(number) for number in range(resources)]))
    return bodies


def all_changed(path, name, resources):
    """The journal of an update that changes each resource: the stack and its provider are the same."""
    bodies, stack = load.Bodies(path), Stack(name)
    journal = Journal(stack)
    entries = [journal.begin()]
    for number in range(resources):
        entries += journal.same(number, number) if number < 2 else journal.update(number, 1, number)
    for first in range(0, len(entries), 100):
        bodies.add('{"entries":[' + ",".join(entries[first:first + 100]) + "]}")
    return bodies


class Changes:
    """Updates that change two resources each; those that were changed come first in the list afterwards."""

    def __init__(self, stack, resources):
        self.stack, self.order = stack, list(range(resources))
        self.generation = dict.fromkeys(range(resources), 0)
        self.step = 0

    def batch(self):
        """The one batch of the next update: stack and provider are the same, two are updated."""
        self.step += 1
        count = len(self.order)
        changeable = [number for number in range(2, count) if number == 2 or number % CHANGEABLE == 0]
        changed = [changeable[(self.step * 2 + more) * 7 % len(changeable)] for more in range(2)]
        if count <= CHANGEABLE or changed[0] == changed[1]:
            changed = [2, 3]
        journal = Journal(self.stack)
        entries = [journal.begin(), *journal.same(0, self.order.index(0)), *journal.same(1, self.order.index(1))]
        for number in changed:
            self.generation[number] = self.step
            entries += journal.update(number, self.step, self.order.index(number))
        first = [0, 1, *changed]
        self.order = first + [number for number in self.order if number not in first]
        return '{"entries":[' + ",".join(entries) + "]}"

    def texts(self):
        return [self.stack.resource(number, self.generation[number]) for number in self.order]


def run_fold(bench, server, stack, bodies, complete):
    """Sends the journal of one update, and then its complete and the first export, which are measured."""
    update, entries, plan = server.client.begin(stack), load.Plan(), load.Plan()
    entries.connection()
    for index in range(len(bodies.spans)):
        entries.request("batch", "PATCH", update[0] + "/journalentries", update[1], bodies, index)
    bench.sender.send(server.port, entries)
    plan.connection()
    plan.request("complete", "POST", update[0] + "/complete", update[1], complete)
    plan.request("export", "GET", stack.path + "/export", f"token {harness.TOKEN}", gzip_answer=True, status=200)
    found = bench.measured(server, plan)
    found["logged"] = logged_duration(server, "/complete")
    return found


def logged_duration(server, ending):
    """Milliseconds that the last request of a route took by the server's own log; None where it has no such line."""
    found = re.findall(r'route="(\S+)" status=2\d\d duration=([\d.]+)', server.log.read_text(errors="replace"))
    times = [float(duration) for route, duration in found if route.endswith(ending)]
    return times[-1] if times else None


def record_fold(bench, name, runs):
    complete = [run["labels"]["complete"]["max"] for run in runs]
    first = [run["labels"]["export"]["first_max"] for run in runs]
    logged = [run["logged"] for run in runs if run["logged"] is not None]
    by_log = f"; complete by its log {statistics.median(logged):.1f} ms" if logged else ""
    together = [one + other for one, other in zip(complete, first)]
    bench.record(f"fold-{name}-visible", together, "complete and first byte of export" + by_log)
    spent = statistics.mean(run["server_cpu"] for run in runs) * 1000
    note = f"slowest {max(complete):.1f} ms; CPU of complete and export {spent:.0f} ms"
    bench.record(f"fold-{name}-complete", complete, note)
    exports = [run["labels"]["export"]["max"] for run in runs]
    bench.record(f"fold-{name}-export", exports, f"first byte {statistics.median(first):.1f} ms")


def fold_alone(bench):
    """The fold by itself, in process (StateFold)."""
    if not bench.options.fold:
        raise SystemExit("the rows of the fold need --fold PATH; ./dev bench state builds it")
    with tempfile.TemporaryDirectory() as folder:
        output = subprocess.run([bench.options.fold, folder], capture_output=True, text=True, check=True).stdout
    for line in output.splitlines():
        found = json.loads(line)
        name = "2" if found["changed"] == 2 else "all"
        size = "" if found["resources"] == LARGE else f"{found['resources']}-"
        bench.record(f"fold-{size}{name}", [found["fold_ms"]], f"in process; storing the result {found['store_ms']:.0f} ms")


def fold(bench):
    fold_alone(bench)
    resources, complete = bench.count(LARGE, 1_000), complete_body(bench.folder)
    base, journal, other = load.prepare([
        (base_bodies, bench.folder / "fold", "fold", resources),
        (all_changed, bench.folder / "changed", "fold", resources),
        (base_bodies, bench.folder / "few", "few", resources),
    ])
    stack, runs = Stack("fold"), []
    with bench.server() as server:
        for _ in range(bench.repetitions + 1):
            server.client.create(stack)
            server.client.import_state(stack, base)
            server.restart()
            runs.append(run_fold(bench, server, stack, journal, complete))
            texts = [stack.resource(number, int(number > 1)) for number in range(resources)]
            load.check_resources(server.client.export(stack), texts, "fold of all")
        record_fold(bench, "all", runs[1:])
        stack = Stack("few")
        server.client.create(stack)
        server.client.import_state(stack, other)
        changes, runs = Changes(stack, resources), []
        for number in range(bench.count(11, 3)):
            server.restart()
            batch = load.Bodies(bench.folder / f"batch{number}")
            batch.add(changes.batch())
            runs.append(run_fold(bench, server, stack, batch, complete))
            load.check_resources(server.client.export(stack), changes.texts(), "fold of two")
        record_fold(bench, "2", runs[1:])


# MARK: - Delta


def delta_bodies(path, name, resources, edits):
    """A whole save and edits of one resource each; notes hold the generations and so the text afterwards."""
    bodies, stack = load.Bodies(path), Stack(name)
    texts = [stack.resource(number) for number in range(resources)]
    before, after = stack.deployment(["\0"]).encode().split(b"\0")
    bodies.add(checkpoint_body(stack.deployment(texts), 1))
    for edit in range(1, edits + 1):
        number = 2 + edit * 7919 % (resources - 2)
        start = len(before) + sum(map(len, texts[:number])) + number
        points = [{"line": 1, "column": 1, "offset": offset} for offset in (start, start + len(texts[number]))]
        texts[number] = stack.resource(number, edit)
        digest = hashlib.sha256(before + ",".join(texts).encode() + after).hexdigest()
        span = {"uri": "", "start": points[0], "end": points[1]}
        body = {"version": 3, "checkpointHash": digest, "sequenceNumber": edit + 1,
                "deploymentDelta": [{"Span": span, "NewText": texts[number]}]}
        bodies.add(json.dumps(body, separators=(",", ":")))
    return bodies


def delta(bench):
    resources, edits = bench.count(SIXTEEN, MEGABYTE), bench.count(100, 10)
    bodies, = load.prepare([(delta_bodies, bench.folder / "delta", "delta", resources, edits)])
    stack, runs, cold = Stack("delta"), [], []
    with bench.server() as server:
        for _ in range(bench.repetitions + 1):
            server.client.create(stack)
            update, plan = server.client.begin(stack, journal=False), load.Plan()
            plan.connection()
            plan.request("whole", "PATCH", update[0] + "/checkpointverbatim", update[1], bodies, 0)
            for index in range(1, edits + 1):
                plan.request("delta", "PATCH", update[0] + "/checkpointdelta", update[1], bodies, index)
            runs.append(bench.measured(server, plan))
            load.check_text(server.client.export(stack), state_after(stack, resources, edits), "state after deltas")
            server.client.complete(update)
        found = [run["labels"]["delta"] for run in runs[1:]]
        note = f"p50 {found[0]['p50']:.1f} ms; CPU {runs[1]['server_cpu'] / (edits + 1) * 1000:.0f} ms for one"
        bench.record("delta-p99", [one["p99"] for one in found], note)
        for _ in range(bench.repetitions):
            cold.append(first_delta(bench, server, stack, resources, bodies))
        bench.record("delta-cold", cold, "the first after a restart")


def first_delta(bench, server, stack, resources, bodies):
    server.client.create(stack)
    update, plan = server.client.begin(stack, journal=False), load.Plan()
    headers = [("Content-Encoding", "gzip")]
    server.client.send("PATCH", update[0] + "/checkpointverbatim", bodies.read(0), update[1], headers)
    server.restart()
    plan.connection()
    plan.request("delta", "PATCH", update[0] + "/checkpointdelta", update[1], bodies, 1)
    found = bench.measured(server, plan)
    load.check_text(server.client.export(stack), state_after(stack, resources, 1), "state after a cold delta")
    server.client.complete(update)
    return found["labels"]["delta"]["max"]


# MARK: - Export


def run_export(bench, server, stack, repeat, gzip_answer):
    plan = load.Plan()
    plan.connection()
    user = f"token {harness.TOKEN}"
    plan.request("export", "GET", stack.path + "/export", user, status=200, repeat=repeat, gzip_answer=gzip_answer)
    found = bench.measured(server, plan)["labels"]["export"]
    if found["shortest"] != found["longest"]:
        raise harness.NoFigure("exports of one state differ in length")
    return found


def export(bench):
    sizes = [("sixteen", bench.count(SIXTEEN, MEGABYTE)), ("hundred", bench.count(HUNDRED, 4 * MEGABYTE))]
    bodies = load.prepare([(base_bodies, bench.folder / name, name, size) for name, size in sizes])
    with bench.server() as server:
        for (name, size), body in zip(sizes, bodies):
            stack = Stack(name)
            server.client.create(stack)
            server.client.import_state(stack, body)
            wanted = state_after(stack, size, 0)
            load.check_text(server.client.export(stack), wanted, f"export of {name}")
            load.check_text(server.client.send("GET", stack.path + "/export"), wanted, f"plain export of {name}")
        stack, large = Stack("sixteen"), Stack("hundred")
        rounds = range(bench.repetitions)
        runs = [run_export(bench, server, stack, bench.count(100, 5), True) for _ in rounds]
        note = f"{runs[0]['longest'] / 1e6:.1f} MB; first byte p50 {runs[0]['first_p50']:.1f} ms"
        bench.record("export-p50", [run["p50"] for run in runs], note)
        bench.record("export-p99", [run["p99"] for run in runs])
        runs = [run_export(bench, server, stack, bench.count(50, 5), False) for _ in rounds]
        note = f"{runs[0]['longest'] / 1e6:.1f} MB, p99 {runs[0]['p99']:.1f} ms"
        bench.record("export-plain-p50", [run["p50"] for run in runs], note)
        runs = [run_export(bench, server, large, bench.count(10, 3), True) for _ in rounds]
        note = f"slowest {max(run['first_max'] for run in runs):.1f} ms; whole p50 {runs[0]['p50']:.0f} ms"
        bench.record("export-100MB-first", [run["first_p50"] for run in runs], note)
