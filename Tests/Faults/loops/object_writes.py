"""Of all requests to the object store nearly a third fails, each in a way of its own, all the time (R-26, G-17).

The proxy of `object_outage` decides for each request: whether it fails, and how. A cycle is a request that writes and
fails. Nobody gives up an update for that: the server tries again, and after it the client does.
"""
import collections
import random
import threading
import time

import buckets
from loops.object_outage import HOW, Large, Proxy

SHARE = 0.3
STACKS = 16
WRITES = ("PUT", "POST")
# A half-open connection keeps a request for as long as the server waits: a third of all would be nothing but waiting.
HOW_REQUESTS_FAIL = tuple(how for how in HOW if how != "leaves connections half open")
# A write that is only slow has not failed, and its answer has no bytes that matter.
HOW_WRITES_FAIL = tuple(how for how in HOW_REQUESTS_FAIL if how not in ("is slow", "gives wrong bytes"))


class Unreliable(Proxy):
    """Each request may fail, before or after the store has acted."""
    silence = 1

    def __init__(self, target, seed):
        super().__init__(target)
        self.choice, self.lock = random.Random(seed), threading.Lock()
        # A server refuses to start on a bucket that gives wrong bytes, as it should.
        self.begun = False
        self.writes, self.others = collections.Counter(), collections.Counter()

    def fate(self, command):
        with self.lock:
            if not self.begun or self.choice.random() >= SHARE:
                return None
            how = self.choice.choice(HOW_WRITES_FAIL if command in WRITES else HOW_REQUESTS_FAIL)
            (self.writes if command in WRITES else self.others)[how] += 1
            return how


class Writing(Large):
    """Many saves for each comparison."""
    project, versions, saves, steps = "writes", 20, (8, 24), (8, 24)
    must_finish, changes_mind = True, 0


def run(run):
    proxy = Unreliable(buckets.address(), run.choice.random())
    run.cleanups.append(proxy.shutdown)
    server = run.server(**buckets.settings("cairn-writes-%d" % time.time_ns(), proxy.server_address)).start()
    proxy.begun = True
    client = run.client(server.port, waits=(1, 2, 4))
    fleet = run.fleet(client, STACKS, worker=Writing).start()
    while run.done < run.cycles and not run.ledger.violations:
        time.sleep(0.05)
        run.did(sum(proxy.writes.values()) - run.done)
    fleet.finish(run)
    run.did(sum(proxy.writes.values()) - run.done)
    run.say("writes that failed: %s; others: %s; slowest answer %.1f s" % (
        dict(sorted(proxy.writes.items())), dict(sorted(proxy.others.items())), client.slowest))
    run.stop(server)
