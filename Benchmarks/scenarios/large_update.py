"""C: a large update that journals: batches one after another, beside them three senders of events."""

from generator import plan, writer

LETTER, TITLE = "C", "large update, journaling"
SENDERS = 3
MOST = 40_000  # resources of all stacks together: the generator keeps their texts


def script_of(label, batches, events):
    """Slots: create, start, renewal, complete, then entries, then events."""
    script = plan.Script(label)
    writer.login(script.stage()).send("stack", "GET", "{S}")
    writer.begin(script, "update", 0, 1)
    script.send("export", "GET", "{S}/export").send("stack", "GET", "{S}")
    script.stage()
    for number in range(batches):
        script.send("journal", "PATCH", "{S}/update/{u}/journalentries", 4 + number, "l")
    for sender in range(min(SENDERS, events)):
        script.lane()
        for number in range(sender, events, SENDERS):
            script.send("events", "POST", "{S}/update/{u}/events/batch", 4 + batches + number, "l")
    script.stage().send("renew", "POST", "{S}/update/{u}/renew_lease", 2, "l", captures="token>t")
    return script.send("complete", "POST", "{S}/update/{u}/complete", 3, "l")


def journals_of(stack, count, mix):
    """The journals of a cycle of updates, after which the stack is what it was before.

    `create`: everything is made, then everything deleted (base 0). `two`, `half`, `all`: so many of the resources change
    and the others are the same. `mixed`: creates, updates, sames, deletes, replaces and a refresh.
    """
    total = count + 2
    if mix == "create":
        made, gone = writer.Journal(stack), writer.Journal(stack)
        for number in range(total):
            made.create(number)
        for number in reversed(range(total)):
            gone.delete(number, number)
        return [made, gone]
    if mix == "mixed":
        return mixed(stack, total)
    changed = {"two": 2, "half": count // 2, "all": count}[mix]
    journals = []
    for generation in (1, 2):
        journal = writer.Journal(stack)
        for number in range(total):
            if 2 <= number < 2 + changed:
                journal.update(number, number, generation)
            else:
                journal.same(number, number)
        journals.append(journal)
    return journals


def mixed(stack, total):
    """Two updates: the first replaces some, changes half and deletes the last tenth, the second makes it again.

    All are touched in order, so the order of the list stays what it is.
    """
    kept = total - max(1, (total - 2) // 10)
    first, second = writer.Journal(stack), writer.Journal(stack)
    for number in range(kept):
        if number < 2 or number % 2:
            first.same(number, number)
        elif number % 10 == 4:
            first.replace(number, number, 1)
        else:
            first.update(number, number, 1)
    for number in reversed(range(kept, total)):
        first.delete(number, number)
    for number in range(kept):
        changed = number >= 2 and number % 2 == 0
        if changed:
            second.update(number, number, 2)
        else:
            second.same(number, number)
    for number in range(kept, total):
        second.create(number)
    return [first, second]


def queue_of(bodies, stack, base, count, mix, size=writer.BATCH):
    complete = bodies.add('{"status":"succeeded"}', compress=False)
    common = [bodies.add(writer.program(), False), bodies.add(writer.start(1), False),
              bodies.add('{"token":"","duration":300}', False), complete]
    events = [bodies.add(stack.events(first, min(writer.EVENTS, 3 * count - first)))
              for first in range(0, 3 * count, writer.EVENTS)]
    jobs, effects, scripts = [], [], {}
    for journal in journals_of(stack, count, mix):
        texts = journal.batches(size)
        shape = len(texts), len(events)
        script = scripts.setdefault(shape, script_of("large", *shape))
        jobs.append((script, stack.path, common + [bodies.add(text) for text in texts] + events))
        effects.append(journal.entries)
    return plan.Queue(jobs, stack, effects, base)


def queues_of(context, bodies, level, count, mix, size=writer.BATCH, prefix="c"):
    stacks = [context.new_stack(prefix) for _ in range(level)]
    bases = context.create(stacks, None if mix == "create" else count)
    queues = [queue_of(bodies, stack, base, count, mix, size) for stack, base in zip(stacks, bases)]
    by_shape = {}  # queues of equal shape share their scripts, which keeps the plan small
    for queue in queues:
        queue.jobs = [(by_shape.setdefault(script.text(), script), path, slots) for script, path, slots in queue.jobs]
    return queues


def run(context):
    batch_sizes = context.pick((1, 10, 50), ())
    most = context.options.resources or 100_000
    for count in (size for size in context.pick((10, 100, 1_000, 10_000, 100_000), (30,)) if size <= most):
        for mix in context.pick(("create", "two", "half", "all", "mixed"), ("create", "mixed")):
            everywhere = count == 100 and mix == "all"
            for level in context.levels if everywhere else context.some_levels(16 if count <= 1_000 else 1):
                if level == 1 or level * count <= MOST:
                    one(context, count, mix, level, writer.BATCH)
    for size in batch_sizes:
        one(context, 100, "all", context.levels[0], size)


def one(context, count, mix, level, size):
    with context.server():
        bodies = context.bodies("c")
        queues = queues_of(context, bodies, level, count, mix, size)
        entries = sum(len(effect) for effect in queues[0].effects) / len(queues[0].effects)
        name = f"C {count:,} {mix}" + ("" if size == writer.BATCH else f", batches of {size}")
        context.measure(name, level, bodies, queues, lambda: context.check_queues(queues), entries)
