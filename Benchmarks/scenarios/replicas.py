"""M: two servers on one database; every request goes to either of them, and one is killed each ten seconds."""

import threading

from generator import plan, writer
from scenarios import small_update

LETTER, TITLE = "M", "many replicas"


class Killer(threading.Thread):
    """Kills one server after the other and starts it again."""

    def __init__(self, servers, seconds):
        super().__init__(name="killer")
        self.servers, self.seconds, self.ended, self.kills, self.error = servers, seconds, threading.Event(), 0, None

    def run(self):
        try:
            while not self.ended.wait(self.seconds):
                victim = self.servers[self.kills % len(self.servers)]
                victim.child.kill()
                victim.child.wait()
                self.ended.wait(min(1, self.seconds / 4))
                victim.start()
                self.kills += 1
        except (OSError, SystemExit) as error:
            self.error = error

    def stop(self):
        self.ended.set()
        self.join()
        if self.error:
            raise plan.harness.NoFigure(f"a killed server did not come back: {self.error}")


def run(context):
    if context.options.remote and len(context.options.url) < 2 or not context.options.remote and (
            context.options.engine == "sqlite"):
        context.fail("M many replicas", "not run: needs --engine mysql (or two --url)")
        return
    level = context.pick(16, 4)
    with context.server(**({} if context.options.remote else {"replicas": 2})) as adapter:
        bodies = context.bodies("m")
        queues = small_update.queues_of(context, bodies, level, "m")
        row = context.measure("M two replicas", level, bodies, queues, lambda: small_update.check(context, queues),
                              small_update.entries_of(queues))
        if context.options.remote:
            return
        killer = Killer(adapter.servers, context.pick(10, 1.5))
        killer.start()
        try:
            seconds = context.pick(180, 4)
            found = context.run(bodies, queues, [0.1, seconds], row["rate"], recovery=writer.recovery(plan.Script))
        finally:
            killer.stop()
        for queue in queues:  # Versions of updates that were tried again are more than the jobs.
            context.check_queue(queue)
        latencies = found.histogram("@update", [1]).milliseconds()
        context.record("M with kills", level, **{
            "kills": killer.kills, "updates/s": sum(found.printed["queues"]) / found.seconds([0, 1]),
            "p50 ms": latencies["p50"], "p99 ms": latencies["p99"], "max ms": latencies["max"], "retries": found.retries(),
            "updates begun again": found.restarts, "lost": 0, "difference": 0})
