"""Sections of many small requests: journal, events, encryption."""

import base64
import json
import os
import random

import harness
import load
from state_model import Journal, Stack, event

ENTRIES, EVENTS, VALUES = 100, 50, 1000  # in one batch
PAIR = 2  # entries in a batch as most are, since a step waits for its own
UPDATES, SENDERS = 16, 3


# MARK: - Journal


def entries_of(stack, count):
    """The entries of an update that makes resources, up to this count; and how many resources."""
    journal, number = Journal(stack), 0
    entries = [journal.begin()]
    while len(entries) + 2 <= count:
        entries += journal.create(number)
        number += 1
    return entries, number


def journal_bodies(path, name, batches, size=ENTRIES):
    bodies, stack = load.Bodies(path), Stack(name)
    entries, bodies.notes["resources"] = entries_of(stack, batches * size)
    for first in range(0, len(entries), size):
        bodies.add('{"entries":[' + ",".join(entries[first:first + size]) + "]}")
    return bodies


def run_journal(bench, server, names, bodies):
    """One update of each stack, all at once; checked by what they export when they have ended."""
    plan, stacks, updates = load.Plan(), [Stack(name) for name in names], []
    for stack, body in zip(stacks, bodies):
        server.client.create(stack)
        updates.append(server.client.begin(stack))
        plan.connection()
        for index in range(len(body.spans)):
            plan.request("batch", "PATCH", updates[-1][0] + "/journalentries", updates[-1][1], body, index)
    found = bench.measured(server, plan)
    for stack, body, update in zip(stacks, bodies, updates):
        server.client.complete(update)
        texts = [stack.resource(number) for number in range(body.notes["resources"])]
        load.check_resources(server.client.export(stack), texts, f"journal of {stack.name}")
    return found, plan


def journal(bench):
    names = [f"j{number:02d}" for number in range(UPDATES)]
    batches, long = bench.count(300, 8), bench.count(1000, 40)
    tasks = [(journal_bodies, bench.folder / name, name, batches) for name in names]
    tasks.append((journal_bodies, bench.folder / "single", "single", long))
    tasks.append((journal_bodies, bench.folder / "many", "many", bench.count(10_000, 500), PAIR))
    *bodies, single, many = load.prepare(tasks)
    size = sum(sum(body.plain_sizes) for body in bodies) / (UPDATES * batches * ENTRIES)
    sent = sum(span[1] for body in bodies for span in body.spans) / (UPDATES * batches * ENTRIES)
    with bench.server() as server:
        run_journal(bench, server, names, bodies)
        runs = [run_journal(bench, server, names, bodies) for _ in range(bench.repetitions)]
        ruler = bench.ruler(runs[0][1])
        parallel = [run for run, _ in runs]
        note = f"entries of {size / 1e3:.2f} KB, {size / sent:.1f} times as long as sent"
        bench.record_rate("journal-16", parallel, ENTRIES, ruler, note)
        for name, key in (("p50", "p50"), ("p99", "p99"), ("p99.9", "p999")):
            values = [run["labels"]["batch"][key] for run in parallel]
            bench.record(f"journal-16-{name}", values, f"ruler {ruler['labels']['batch'][key]:.2f} ms")
        runs = [run_journal(bench, server, ["single"], [single]) for _ in range(bench.repetitions)]
        ruler = bench.ruler(runs[0][1])
        one = [run for run, _ in runs]
        p50, p99 = one[0]["labels"]["batch"]["p50"], one[0]["labels"]["batch"]["p99"]
        bench.record_rate("journal-1", one, ENTRIES, ruler, f"batch p50 {p50:.2f}, p99 {p99:.2f} ms")
        runs = [run_journal(bench, server, ["many"], [many])[0] for _ in range(bench.repetitions)]
        found = [run["labels"]["batch"] for run in runs]
        batches = f"{found[0]['requests']:,} batches of {PAIR}: p10 {found[0]['early_p10']:.2f} ms in the first tenth"
        note = f"{batches}, {found[0]['late_p10']:.2f} in the last; {found[0]['requests'] / runs[0]['seconds']:,.0f}/s"
        bench.record("journal-growth", [one["late_p10"] / one["early_p10"] for one in found], note)


# MARK: - Events


def event_bodies(path, name, batches):
    bodies, stack = load.Bodies(path), Stack(name)
    for first in range(0, batches * EVENTS, EVENTS):
        bodies.add('{"events":[' + ",".join(event(stack, first + index) for index in range(EVENTS)) + "]}")
    return bodies


def check_events(client, update, stack, count):
    """Reads all events of an update back and compares them."""
    path, token, found = update[0] + "/events", None, 0
    while True:
        page = client.ask("GET", path + (f"?continuationToken={token}" if token else ""), accept_gzip=True)
        for got in page["events"]:
            wanted = json.loads(event(stack, found))
            if {**got, **wanted} != got:  # The server may add what it knows, such as the kind.
                raise harness.NoFigure(f"event {found} of {stack.name} is another one")
            found += 1
        token = page.get("continuationToken")
        if not token or found > count:
            break
    if found != count:
        raise harness.NoFigure(f"{found} events of {stack.name} instead of {count}")


def run_events(bench, server, names, bodies):
    plan, stacks, updates = load.Plan(), [Stack(name) for name in names], []
    for stack, body in zip(stacks, bodies):
        server.client.create(stack)
        updates.append(server.client.begin(stack))
        for sender in range(SENDERS):
            plan.connection()
            for index in range(sender, len(body.spans), SENDERS):
                plan.request("batch", "POST", updates[-1][0] + "/events/batch", updates[-1][1], body, index)
    found = bench.measured(server, plan)
    for stack, body, update in zip(stacks, bodies, updates):
        server.client.complete(update)
        check_events(server.client, update, stack, len(body.spans) * EVENTS)
    return found, plan


def events(bench):
    names = [f"e{number:02d}" for number in range(UPDATES)]
    batches = bench.count(150, 6)
    bodies = load.prepare([(event_bodies, bench.folder / name, name, batches) for name in names])
    with bench.server() as server:
        run_events(bench, server, names, bodies)
        runs = [run_events(bench, server, names, bodies) for _ in range(bench.repetitions)]
        ruler = bench.ruler(runs[0][1])
        batch = runs[0][0]["labels"]["batch"]
        size = sum(sum(body.plain_sizes) for body in bodies) / (UPDATES * batches * EVENTS)
        note = f"events of {size / 1e3:.2f} KB; batch p50 {batch['p50']:.1f}, p99 {batch['p99']:.1f} ms"
        bench.record_rate("events", [run for run, _ in runs], EVENTS, ruler, note)


# MARK: - Encryption


def encrypt(bench):
    choice = random.Random(1)
    values = [base64.b64encode(choice.randbytes(32)).decode() for _ in range(VALUES)]
    batch = load.Bodies(bench.folder / "values")
    batch.add(json.dumps({"plaintexts": values}, separators=(",", ":")))
    single = load.Bodies(bench.folder / "value", compress=False)
    single.add(json.dumps({"plaintext": values[0]}))
    stack, user = Stack("encrypt"), f"token {harness.TOKEN}"
    batches, singles = load.Plan(), load.Plan()
    for _ in range(os.cpu_count() * 2):
        batches.connection()
        path = stack.path + "/batch-encrypt"
        batches.request("batch", "POST", path, user, batch, repeat=bench.count(100, 5))
    for _ in range(16):
        singles.connection()
        singles.request("single", "POST", stack.path + "/encrypt", user, single, repeat=bench.count(500, 20))
    with bench.server() as server:
        server.client.create(stack)
        length = check_encryption(server.client, stack, values, batch)
        runs = [bench.measured(server, batches) for _ in range(bench.repetitions + 1)][1:]
        for found in (run["labels"]["batch"] for run in runs):
            if found["shortest"] != length or found["longest"] != length:
                raise harness.NoFigure(f"answers of {found['shortest']} to {found['longest']} B instead of {length}")
        bench.record_rate("encrypt-batch", runs, VALUES, bench.ruler(batches), batches_p50(runs))
        runs = [bench.measured(server, singles) for _ in range(bench.repetitions + 1)][1:]
        found = runs[0]["labels"]["single"]
        if found["shortest"] != found["longest"]:
            raise harness.NoFigure("answers to one value differ in length")
        rate = found["requests"] / runs[0]["seconds"]
        ruler = bench.ruler(singles)["labels"]["single"]["p99"]
        note = f"p50 {found['p50']:.2f} ms, {rate:,.0f} values/s; ruler {ruler:.2f} ms"
        bench.record("encrypt-single-p99", [run["labels"]["single"]["p99"] for run in runs], note)
        check_encryption(server.client, stack, values, batch)


def batches_p50(runs):
    return f"batch of {VALUES:,} × 32 B: p50 {runs[0]['labels']['batch']['p50']:.1f} ms"


def check_encryption(client, stack, values, batch):
    """Encrypts a batch and decrypts it; the length of the answer."""
    headers = [("Content-Encoding", "gzip")]
    answer = client.send("POST", stack.path + "/batch-encrypt", batch.read(0), headers=headers)
    ciphertexts = json.loads(answer)["ciphertexts"]
    texts = client.ask("POST", stack.path + "/batch-decrypt", {"ciphertexts": ciphertexts})["plaintexts"]
    if len(set(ciphertexts)) != VALUES or [texts.get(one) for one in ciphertexts] != values:
        raise harness.NoFigure("what was encrypted does not decrypt to what was sent")
    return len(answer)
