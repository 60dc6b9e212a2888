"""L: from the start of the process to the first answers, with few and many stacks, and after a crash with a long log."""

import os
import statistics
import time

from generator import shelf
from scenarios import small_update

LETTER, TITLE = "L", "start-up"


def first_answers(context, server, path):
    """Milliseconds from exec to the first 200 of ready, and of the first `GET` of a stack."""
    began = time.monotonic()
    server.start()
    ready = (time.monotonic() - began) * 1000
    context.client.send("GET", path)
    return ready, (time.monotonic() - began) * 1000


def log_megabytes(server):
    """The write-ahead log that SQLite would have to read."""
    return sum(os.path.getsize(path) for path in server.folder.glob("*-wal")) / 1e6


def run(context):
    if context.options.remote:
        context.fail("L start-up", "not run: only a server that the generator starts can be timed")
        return
    most = context.options.stacks or 100_000
    for count in context.pick([count for count in (0, 10_000, 100_000) if count <= most], (20,)):
        with context.server() as adapter:
            server, bodies = adapter.servers[0], context.bodies("l")
            filled = shelf.Shelf(context, bodies, count or 1, 2)
            times = []
            for _ in range(context.pick(5, 1)):
                server.halt()
                times.append(first_answers(context, server, filled.stacks[0].path))
            for number in {0, len(filled.stacks) - 1}:
                context.compare(filled.stacks[number], filled.state_of(number))
            context.record(f"L {count or 1:,} stacks", 1, **{"idle MB": server.megabytes("VmRSS"),
                "ready ms": statistics.median(ready for ready, _ in times),
                "first stack ms": statistics.median(first for _, first in times), "difference": 0})
    crash(context)


def crash(context):
    """Kills the server under small updates and starts it on what it left. What was acknowledged must be there."""
    with context.server() as adapter:
        server, bodies = adapter.servers[0], context.bodies("l")
        stack = context.new_stack("l")
        base = context.create([stack], small_update.RESOURCES)[0]
        queue = small_update.queue_of(bodies, stack, base, adapter)
        noise = [small_update.queue_of(bodies, one, None, adapter) for one in made(context, context.pick(63, 3))]
        context.run(bodies, [queue], [context.pick(5, 0.3)])
        context.run(bodies, noise, [context.pick(60, 0.5)])
        server.child.kill()
        server.child.wait()
        log = log_megabytes(server)
        ready, first = first_answers(context, server, stack.path)
        context.check_queue(queue)
        context.record("L after a crash", 1, **{"log MB": log, "ready ms": ready, "first stack ms": first, "difference": 0})


def made(context, count):
    stacks = [context.new_stack("ln") for _ in range(count)]
    context.create(stacks, small_update.RESOURCES)
    return stacks


