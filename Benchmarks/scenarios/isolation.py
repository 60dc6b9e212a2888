"""J: 64 clients do small updates; one client saves states of 100 MB all the time. The score is how much worse p99 gets."""

from generator.model import SIZES
from scenarios import checkpoints, small_update

LETTER, TITLE = "J", "isolation"
SAVES = 2  # in each update of the one client, which begins the next at once


def run(context):
    level = context.pick(64, 4)
    label = context.pick("100 MB", "1.6 MB")
    count, payload = SIZES[label]
    with context.server():
        bodies = context.bodies("j")
        queues = small_update.queues_of(context, bodies, level, "j")
        stack = context.new_stack("jd", "T", payload)
        noise = checkpoints.queue_of(bodies, stack, context.create([stack])[0], count,
                                     checkpoints.script_of(SAVES), SAVES)
        noise.closed = True

        def check():
            small_update.check(context, queues)

        alone = context.measure("J alone", level, bodies, queues, check)
        phases = [context.lengths.warmup, context.lengths.measure * context.lengths.repetitions]
        beside = context.run(bodies, [*queues, noise], phases, alone["rate"])
        check()
        context.check_queue(noise)
        before, found = alone["kinds"]["update"]["p99"], beside.histogram("@update", [1]).milliseconds()["p99"]
        # Nothing of them where no update has ended in so short a time.
        times = found / max(before, 1e-3) if before and found else None
        context.record(f"J with {label} beside", level, **{
            "p99 of updates alone, ms": before, "with, ms": found, "times": times,
            "updates/s asked for": alone["rate"], "large saves": beside.total("done", [1], ["verbatim"]),
            "due but not begun": beside.unstarted})
