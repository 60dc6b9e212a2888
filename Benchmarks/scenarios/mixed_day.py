"""I: a mixed day: 70 % reads, 20 % small updates, 5 % of a hundred resources, 3 % secrets, 2 % imports of 1.6 MB."""

from dataclasses import replace

from generator import shelf
from scenarios import large_update, reads, secrets, small_update, transfers

LETTER, TITLE = "I", "mixed day"
SECONDS = 1800  # unless --measure says otherwise


def run(context):
    scale = context.pick(8, 1)
    with context.server():
        bodies = context.bodies("i")
        filled = shelf.Shelf(context, bodies, context.pick(1_000, 20), 2)
        names = list(reads.scripts_of(filled.stacks).items())
        groups = [[queue for name, script in names for queue in reads.queues_of(script, filled.stacks, scale)]]
        small = small_update.queues_of(context, bodies, 2 * scale, "ib")
        large = large_update.queues_of(context, bodies, scale, context.pick(100, 20), "mixed", prefix="ic")
        secret, values, decrypt = secrets.queues_of(context, bodies, scale, "mixed", 10, 32, "ig")
        moved = transfers.queues_of(context, bodies, scale, context.pick(1_000, 50), "if")
        groups += [small, large, secret, moved]
        for share, queues in zip((70, 20, 5, 3, 2), groups):
            for queue in queues:
                queue.weight = share / len(queues)
        queues = [queue for group in groups for queue in group]

        def check():
            small_update.check(context, small)
            context.check_queues(large)
            secrets.check(context, secret[0].stack, values, decrypt)
            transfers.check(context, moved)
            reads.check(context, filled)

        lengths = context.lengths
        seconds = lengths.measure if context.options.measure else context.pick(SECONDS, lengths.measure)
        context.lengths = replace(lengths, measure=seconds, repetitions=1)
        context.measure("I mixed day", len(queues), bodies, queues, check, rate=context.options.rate or context.pick(300, 60))
        context.lengths = lengths


