"""E: a whole save and then a hundred deltas; each twentieth has a wrong hash, is refused, and a whole save follows."""

import hashlib

from generator import plan, reference, writer
from generator.model import SIZES
from generator.reference import State
from scenarios.checkpoints import verbatim

LETTER, TITLE = "E", "checkpoints, delta"
DELTAS = 100
WRONG = 20  # each so many-th
SCATTERED = 50

def edit(first, last, text):
    points = [{"line": 1, "column": 1, "offset": offset} for offset in (first, last)]
    return {"Span": {"uri": "", "start": points[0], "end": points[1]}, "NewText": text}

class Writer:
    """A state as its resources' texts, and the saves that lead from one to the next."""

    def __init__(self, stack, count, adapter):
        self.stack, self.count, self.adapter = stack, count, adapter
        self.texts = stack.resources(count)
        self.sequence = 1

    def whole(self):
        return self.stack.deployment(self.texts)

    def delta(self, number, how):
        """The body of one delta and whether it is right; `how` is one, scattered or whole."""
        before = self.whole().encode()
        if how == "whole":
            self.texts = [self.stack.resource(index, number) for index in range(self.count + 2)]
            edits = [edit(0, len(before), self.whole())]
        else:
            chosen = {2 + (number * 7919 + index * 104729) % self.count for index in range(SCATTERED if how == "scattered" else 1)}
            edits = [self.change(index, number) for index in sorted(chosen)]
            for index in chosen:
                self.texts[index] = self.stack.resource(index, number)
        after = self.whole().encode()
        if reference.apply_delta(before, edits) != after:
            raise AssertionError("the generator's own delta is wrong")
        digest = hashlib.sha256(after).hexdigest()
        right = number % WRONG != 0
        digest = digest if right else digest[::-1]
        self.sequence += 1
        return (f'{{"version":3,"checkpointHash":"{digest}","sequenceNumber":{self.sequence},'
                f'"deploymentDelta":{self.adapter.deltas(edits)}}}'), right

    def change(self, index, number):
        start = len(self.stack.around()[0].encode()) + sum(len(text) + 1 for text in self.texts[:index])
        return edit(start, start + len(self.texts[index]), self.stack.resource(index, number))

def queue_of(bodies, stack, base, count, how, deltas, adapter):
    state, script = Writer(stack, count, adapter), plan.Script("deltas")
    writer.begin(script.stage().send("stack", "GET", "{S}"), "update", 0, 1)
    slots = [bodies.add(writer.program(), False), bodies.add(writer.start(0), False),
             bodies.add('{"status":"succeeded"}', False), bodies.add(verbatim(state.whole(), 1))]
    script.send("verbatim", "PATCH", "{S}/update/{u}/checkpointverbatim", 3, "l")
    for number in range(1, deltas + 1):
        body, right = state.delta(number, how)
        slots.append(bodies.add(body))
        label, status = ("delta", 2) if right else ("refused delta", 400)
        script.send(label.replace(" ", "-"), "PATCH", "{S}/update/{u}/checkpointdelta", len(slots) - 1, "l", status)
        if not right:
            slots.append(bodies.add(verbatim(state.whole(), state.sequence)))
            script.send("fallback", "PATCH", "{S}/update/{u}/checkpointverbatim", len(slots) - 1, "l")
    script.send("complete", "POST", "{S}/update/{u}/complete", 2, "l").send("export", "GET", "{S}/export")
    return plan.Queue([(script, stack.path, slots)], stack, [State.of_texts(state.texts, stack.keeper)], base)

def run(context):
    for label in context.pick(("160 KB", "1.6 MB", "16 MB"), ("160 KB",)):
        for how in context.pick(("one", "scattered", "whole"), ("scattered",)):
            for level in context.some_levels(1, 4):
                if level == 1 or level * SIZES[label][0] <= 16_000:
                    one(context, label, how, level)

def one(context, label, how, level):
    count = SIZES[label][0]
    # Few of the large documents: each delta is written from a whole one, and twenty show a refusal.
    deltas = DELTAS if count <= 1_000 and not context.short else WRONG + 1
    with context.server():
        bodies = context.bodies("e")
        stacks = [context.new_stack("e") for _ in range(level)]
        queues = [queue_of(bodies, stack, base, count, how, deltas, context.adapter)
                  for stack, base in zip(stacks, context.create(stacks))]
        context.measure(f"E {label} {how}", level, bodies, queues, lambda: context.check_queues(queues))

