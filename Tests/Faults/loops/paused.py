"""A server is stopped in the middle of a save until its update's time is up, another update takes the stack through the
other server, then the first goes on (R-08): nothing of the old update is written any more.

Time passes by the shim for both servers. A server that stops in the middle of a transaction keeps the stack's row
locked; then nobody takes over before it goes on, and the cycle shows only that.
"""
import http.client
import json
import threading
import time

from contest import BEGIN, DOCUMENT, Contest, Round
from linearizability import UNKNOWN
from servers import pair
from shims import ShiftedClock

# More than the longest lease and its grace.
LATER = 400


def run(run, engine):
    clock = ShiftedClock(run)
    servers = pair(run, engine, **clock.variables)
    client = run.client(*[server.port for server in servers])
    contest = Contest(client, run.ledger, run.seed)
    for number in run.rounds():
        clock.set(0)
        one_cycle(run, Round(contest, "pause%d" % number), servers, clock)
    clock.set(0)
    run.summary(client)
    if not run.ledger.counts["takeovers"]:
        run.violation("control", "no stack was taken over: this run shows nothing")
    for server in servers:
        run.stop(server)


def one_cycle(run, stack, servers, clock):
    first, second = servers if run.choice.random() < 0.5 else reversed(servers)
    holder = Holder(stack, first.port)
    holder.begin()
    if not holder.answer:
        return run.ledger.count("begins without an answer")
    holder.save("v1")
    late = threading.Thread(target=holder.save, args=("v2",), name="late")
    late.start()
    run.pause(0, 0.02)
    run.fault("pause", port=first.port)
    first.pause()
    clock.set(LATER)
    other = Holder(stack, second.port)
    took = other.take_over(time.monotonic() + 3)
    if took:
        run.ledger.count("takeovers")
        other.save("w1")
    else:
        run.ledger.count("stacks locked by the paused server")
    first.go_on()
    late.join()
    for port in (first.port, second.port):
        holder.port = port
        saved = holder.save_surely("v3 by %d" % port)
        if took and saved != "refused":
            run.violation("pause", "a save of an update that lost its stack: " + saved)
    for server in servers:
        stack.ask(stack.history.call("read"), "GET", "/export", port=server.port)
    run.violation(stack.path, *stack.history.problems())


class Holder:
    """One update, asked for through one server."""

    def __init__(self, stack, port):
        self.stack, self.port, self.start, self.answer = stack, port, None, None

    def begin(self, takes_over=False):
        start = self.stack.history.call("start", takes_over=takes_over)
        text = self.stack.ask(start, "POST", "/begin-update", BEGIN, port=self.port)
        if text:
            self.start, self.answer = start, json.loads(text)

    def take_over(self, deadline):
        """The one row that is locked makes this wait; so it is asked for in a thread that may outlive the deadline."""
        while time.monotonic() < deadline:
            thread = threading.Thread(target=self.begin, args=(True,), name="second", daemon=True)
            thread.start()
            thread.join(max(0, deadline - time.monotonic()))
            if self.answer:
                return True
        return False

    def save_surely(self, value):
        """Again while nobody knows: a server that goes on has much to do at first."""
        deadline = time.monotonic() + 60
        while (saved := self.save(value)) == UNKNOWN and time.monotonic() < deadline:
            time.sleep(0.2)
        return saved

    def save(self, value):
        saved = self.stack.history.call("save", self.start.update, value)
        try:
            self.stack.ask(saved, "PATCH", "/update/%s/checkpoint" % self.answer["updateID"], DOCUMENT % value,
                           self.answer["token"], port=self.port)
        except http.client.HTTPException:
            pass
        return saved.answer
