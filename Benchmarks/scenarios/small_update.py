"""B: a small update that journals, about 18 requests: the unit of "updates per second"."""

import base64
import json

import harness
from generator import compare, plan, writer
from generator.model import payload

LETTER, TITLE = "B", "small update, journaling"
RESOURCES = 10
# Kind of the update, requests with journal entries, requests with events; a preview has no entries.
CYCLE = [("update", 1, 1), ("update", 2, 2), ("preview", 0, 1), ("update", 3, 3), ("refresh", 1, 1), ("update", 2, 1)]


def script_of(kind, batches, events):
    """Slots of bodies: create, start, secrets, complete, then entries, then events."""
    script = plan.Script(kind)
    writer.login(script.stage())
    script.send("stack", "GET", "{S}")
    writer.begin(script, kind, 0, 1)
    script.send("export", "GET", "{S}/export").send("stack", "GET", "{S}")
    script.send("encrypt", "POST", "{S}/batch-encrypt", 2, retries=True)
    script.stage()
    for number in range(batches):
        script.send("journal", "PATCH", "{S}/update/{u}/journalentries", 4 + number, "l")
    for number in range(events):
        (script.lane() if number or batches else script).send(
            "events", "POST", "{S}/update/{u}/events/batch", 4 + batches + number, "l")
    script.stage().send("complete", "POST", "{S}/update/{u}/complete", 3, "l")
    return script.send("history", "GET", "{S}/updates?page=1&pageSize=1")


SCRIPTS = {shape: script_of(*shape) for shape in dict.fromkeys(CYCLE)}


def queue_of(bodies, stack, base, adapter):
    """A queue of the cycle's updates on a stack with ten resources; the first ones change each time."""
    secrets = [base64.b64encode(payload("T", f"{stack.name}/{number}", 32).encode()).decode() for number in range(5)]
    encrypt = bodies.add(json.dumps({"plaintexts": secrets}))
    complete = bodies.add('{"status":"succeeded"}', compress=False)
    jobs, effects = [], []
    for number, (kind, batches, events) in enumerate(CYCLE):
        if kind not in adapter.kinds:
            continue
        journal = writer.Journal(stack)
        texts = []
        if batches:
            journal.same(0, 0), journal.same(1, 1)
            for index in range(2 * batches):
                journal.update(index + 2, index + 2, number + 1)
            size = -(-len(journal.entries) // batches)
            texts = journal.batches(size)
        slots = [bodies.add(writer.program(kind), False), bodies.add(writer.start(1 if batches else 0), False),
                 encrypt, complete]
        slots += [bodies.add(text) for text in texts]
        slots += [bodies.add(stack.events(first * writer.EVENTS, writer.EVENTS)) for first in range(events)]
        jobs.append((SCRIPTS[kind, batches, events], stack.path, slots))
        effects.append(journal.entries if batches else None)
    return plan.Queue(jobs, stack, effects, base)


def queues_of(context, bodies, level, prefix="b"):
    stacks = [context.new_stack(prefix) for _ in range(level)]
    bases = context.create(stacks, RESOURCES)
    return [queue_of(bodies, stack, base, context.adapter) for stack, base in zip(stacks, bases)]


def entries_of(queues):
    """Journal entries of an average job."""
    counts = [len(effect or ()) for effect in queues[0].effects]
    return sum(counts) / len(counts)


def check(context, queues):
    """State, number of versions, and the events of the last update, of every stack."""
    context.check_queues(queues)
    for queue in queues:
        kinds = [script.label for script, _, _ in queue.jobs]
        wanted = 1 + sum(kinds[number % len(kinds)] != "preview" for number in range(queue.done))
        found = context.client.ask("GET", queue.stack.path)
        if found["version"] != wanted:
            raise harness.NoFigure(f"WRONG RESULT, {queue.stack.name}: version {found['version']} instead of {wanted}")
        if queue.done and kinds[(queue.done - 1) % len(kinds)] != "preview":
            check_events(context, queue, found["activeUpdate"])


def check_events(context, queue, update):
    shape = [shape for shape in CYCLE if shape[0] in context.adapter.kinds][(queue.done - 1) % len(queue.jobs)]
    events, token = [], ""
    while token is not None:
        query = f"?continuationToken={token}" if token else ""
        page = context.client.ask("GET", f"{queue.stack.path}/update/{update}/events{query}")
        events, token = events + page["events"], page.get("continuationToken")
    wrong = compare.event_problems(events, queue.stack, shape[2] * writer.EVENTS)
    if wrong:
        raise harness.NoFigure(f"WRONG RESULT, {queue.stack.name}: {wrong[0]}")


def run(context):
    for level in context.levels:
        with context.server():
            bodies = context.bodies("b")
            queues = queues_of(context, bodies, level)
            context.measure("B small update", level, bodies, queues, lambda: check(context, queues), entries_of(queues))
