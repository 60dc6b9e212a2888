"""Every call of an update that changes the disk, one after the other, as the place of a fault."""
import threading

from loop import Supervisor
from shims import FaultyIO
from workload import Worker

MODES = ("journal", "plain", "verbatim", "delta")


class Small(Worker):
    """Short updates, so that their calls can be gone through; a third of the resources is too large for a row."""
    saves, steps, many, large, share_of_large = (2, 4), (3, 7), 6, 150_000, 0.3


class Points:
    """One server below the shim and one worker, whose updates are the cycles."""

    def __init__(self, run):
        self.run, self.shim = run, FaultyIO(run)
        self.server = run.server(**self.shim.variables).start()
        self.supervisor = Supervisor(self.server, run)
        self.client = run.client(self.server.port, waits=(0.05, 0.3, 1))
        self.worker = Small(0, self.client, run.ledger, run.seed, threading.Event())
        self.worker.create()

    def each(self):
        """Pairs of a kind of update and a number: if there are fewer cycles than calls, evenly spread."""
        calls = {}
        for mode in MODES:
            self.shim.arm(0)
            self.worker.update(mode)
            calls[mode] = self.shim.calls
        self.run.say("calls in an update: %s" % calls)
        points = [(mode, number) for mode in MODES for number in range(1, calls[mode] + 1)]
        step = max(1, len(points) / max(self.run.cycles, 1))
        for number in self.run.rounds():
            offset = self.run.choice.random() * step
            yield points[int(number * step + offset) % len(points)]

    def update(self, mode):
        """One update, during which the fault happens; whether it did."""
        self.worker.update(mode)
        self.shim.disarm()
        hits = self.shim.hits
        self.run.ledger.count("faults that came" if hits else "faults that did not come")
        return hits > 0

    def finish(self):
        self.worker.check_history()
        self.worker.senders.shutdown()
        self.run.summary(self.client)
        if not self.run.ledger.counts["faults that came"]:
            self.run.violation("control", "no fault came: this run shows nothing")
        self.supervisor.finish()
        self.run.stop(self.server)
