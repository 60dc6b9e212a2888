"""D: whole states, ten times in each update, one resource changed each time."""

from generator import plan, writer
from generator.model import SIZES
from generator.reference import State

LETTER, TITLE = "D", "checkpoints, full"
SAVES = 10
MOST = 2_000_000_000  # bytes of JSON that one row prepares


def script_of(saves):
    """Slots: create, start, complete, then the saves."""
    script = plan.Script("checkpoints")
    writer.begin(script.stage().send("stack", "GET", "{S}"), "update", 0, 1)
    for number in range(saves):
        script.send("verbatim", "PATCH", "{S}/update/{u}/checkpointverbatim", 3 + number, "l")
    return script.send("complete", "POST", "{S}/update/{u}/complete", 2, "l").send("export", "GET", "{S}/export")


def verbatim(text, sequence):
    return f'{{"version":3,"untypedDeployment":{text},"sequenceNumber":{sequence}}}'


def queue_of(bodies, stack, base, count, script, saves=SAVES):
    texts, slots = stack.resources(count), []
    for save in range(1, saves + 1):
        number = 2 + save * 7919 % max(count, 1) if count else 1
        texts[number] = stack.resource(number, save)
        slots.append(bodies.add(verbatim(stack.deployment(texts), save)))
    common = [bodies.add(writer.program(), False), bodies.add(writer.start(0), False),
              bodies.add('{"status":"succeeded"}', False)]
    return plan.Queue([(script, stack.path, common + slots)], stack, [State.of_texts(texts, stack.keeper)], base)


def run(context):
    sizes = list(SIZES) if not context.short else ["160 KB"]
    for label in sizes:
        count, payload = SIZES[label]
        kinds = ("R", "T", "X") if label == "1.6 MB" else ("R", "T") if "fat" in label else ("T",)
        for kind in kinds:
            for level in context.some_levels(1, 4):
                if level == 1 or level * SAVES * (count + 2) * (payload + 600) <= MOST:
                    one(context, label, count, payload, kind, level)


def one(context, label, count, payload, kind, level):
    with context.server():
        bodies, script = context.bodies("d"), script_of(SAVES)
        stacks = [context.new_stack("d", kind, payload) for _ in range(level)]
        queues = [queue_of(bodies, stack, base, count, script) for stack, base in zip(stacks, context.create(stacks))]
        context.measure(f"D {label} {kind}", level, bodies, queues, lambda: context.check_queues(queues))
