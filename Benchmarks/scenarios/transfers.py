"""F: import and export."""

from generator import plan, reference
from generator.model import SIZES

LETTER, TITLE = "F", "import and export"
EXPORTS = 10


def script_of():
    """Slot 0 is the state. Answers are asked for with gzip and without, in turn."""
    script = plan.Script("transfer").stage()
    script.send("import", "POST", "{S}/import", 0, captures="updateId>u")
    script.send("poll", "GET", "{S}/update/{u}{c}", loops=True, captures="continuationToken>c")
    script.send("stack", "GET", "{S}", captures="version>v")
    for number in range(EXPORTS):
        script.send("export" if number % 2 else "export-plain", "GET", "{S}/export", gzip=bool(number % 2))
    return script.send("export-version", "GET", "{S}/export/{v}")


def queues_of(context, bodies, level, count, prefix="f"):
    """Each queue imports two states in turn, so that every import changes the stack."""
    script, queues = script_of(), []
    stacks = [context.new_stack(prefix) for _ in range(level)]
    for stack, base in zip(stacks, context.create(stacks)):
        jobs, effects = [], []
        for generation in (0, 1):
            texts = [stack.resource(number, generation) for number in range(count + 2)]
            jobs.append((script, stack.path, [bodies.add(stack.deployment(texts))]))
            effects.append(reference.State.of_texts(texts, stack.keeper))
        queues.append(plan.Queue(jobs, stack, effects, base))
    return queues


def check(context, queues):
    """The state now, and the version before it."""
    context.check_queues(queues)
    for queue in queues:
        if queue.done >= 2:
            earlier = queue.effects[(queue.done - 2) % 2]
            context.compare(queue.stack, earlier, f"/{queue.done - 1}")


def run(context):
    for label in context.pick(("16 KB", "160 KB", "1.6 MB", "16 MB", "100 MB"), ("160 KB",)):
        for level in context.some_levels(1, 4):
            if level == 1 or level * SIZES[label][0] <= 64_000:
                with context.server():
                    bodies = context.bodies("f")
                    queues = queues_of(context, bodies, level, SIZES[label][0])
                    context.measure(f"F {label}", level, bodies, queues, lambda: check(context, queues))
