"""What a fault loop works with: its seed, its ledger, servers and clients that are ended after it, and its cycles."""
import os
import random
import sys
import threading
import time

from client import Client
from contest import Contest
from databases import DatabaseServer
from ledger import Ledger
from process import TOKEN, Server, at_most
from workload import Worker

# The command line waits 1, 2 and 4 seconds; a fourth of that, so that more faults fit into the time.
WAITS = (0.25, 0.5, 1)


class NotPossible(Exception):
    """This machine does not give what the loop needs: not a failure of the server, but not a result either."""


class Run:
    """One run of one loop. `cycles` is how many it should make, `done` how many it made."""

    def __init__(self, name, cycles, seed, folder):
        self.name, self.cycles, self.seed, self.folder, self.done = name, cycles, seed, folder, 0
        self.choice = random.Random("%s/%s" % (seed, name))
        self.ledger = Ledger(os.path.join(folder, "ledger.jsonl"))
        self.began = self.told = time.monotonic()
        self.cleanups = []

    # --- Cycles ---------------------------------------------------------------------------------------------------

    def rounds(self, violations=0):
        """Numbers of cycles, until there are enough or more is wrong than so many violations."""
        while self.done < self.cycles and len(self.ledger.violations) <= violations:
            yield self.done
            self.did(1)

    def did(self, cycles):
        self.done += cycles
        if time.monotonic() - self.told > 10:
            self.told = time.monotonic()
            self.say("%d of %d cycles" % (self.done, self.cycles))

    def say(self, text):
        print("  %s: %s" % (self.name, text), file=sys.stderr, flush=True)

    def fault(self, what, **details):
        self.ledger.note("", "FAULT", fault=what, **details)

    def violation(self, where, *problems):
        self.ledger.violation(self.name, where, problems)

    def result(self):
        return "%s: %d cycles, %d lost, %d differing" % (self.name, self.done, self.ledger.lost, self.ledger.differing)

    def summary(self, client):
        """What the workload did, for people; a workload that did nothing shows nothing."""
        counts = self.ledger.counts
        self.say("%.0f s; %s; %d retries; answers %s" % (
            time.monotonic() - self.began, ", ".join(
                "%d %s" % (number, what) for what, number in sorted(counts.items())),
            client.retries, dict(sorted(client.statuses.items()))))

    # --- What ends with the loop ----------------------------------------------------------------------------------

    def server(self, name="server", folder=None, **variables):
        server = Server(folder or os.path.join(self.folder, name), **variables)
        self.cleanups.append(server.kill)
        return server

    def database(self, kind):
        if not os.environ.get("CAIRN_TEST_" + kind.upper()):
            raise NotPossible("no %s: ./dev services start" % kind)
        database = DatabaseServer(kind, os.path.join(self.folder, kind))
        self.cleanups.append(database.stop)
        return database

    def client(self, *ports, waits=WAITS):
        return Client(ports, TOKEN, waits)

    def fleet(self, client, count, worker=Worker, contests=False):
        fleet = Fleet(client, self.ledger, self.seed, count, worker, contests)
        self.cleanups.append(fleet.stop.set)
        return fleet

    def close(self):
        for cleanup in reversed(self.cleanups):
            try:
                cleanup()
            except Exception as error:  # the others must be ended as well
                self.say("cleaning up: %r" % error)

    # --- Waiting --------------------------------------------------------------------------------------------------

    def await_progress(self, seconds=15):
        """Waits until somebody was told that something is saved; not within the time is a violation."""
        seconds = at_most(seconds)
        before, deadline = self.ledger.counts["acknowledged"], time.monotonic() + seconds
        while self.ledger.counts["acknowledged"] == before and not self.ledger.violations:
            if time.monotonic() > deadline:
                self.violation("recovery", "nothing was acknowledged within %g s" % seconds)
            time.sleep(0.01)

    def pause(self, least, most):
        time.sleep(self.choice.uniform(least, most))

    def stop(self, server):
        """Politely; a server that does not end well is a violation."""
        status = server.stop()
        if status != 0:
            self.violation("server", "ended with status %s" % status)


class Supervisor(threading.Thread):
    """Starts a server again whenever it has ended, until it is told to stop."""

    def __init__(self, server, run):
        super().__init__(daemon=True)
        self.server, self.run_, self.ended, self.starts = server, run, threading.Event(), 0
        run.cleanups.append(self.finish)
        self.start()

    def run(self):
        while not self.ended.wait(0.01):
            if self.server.process.poll() is None:
                continue
            self.starts += 1
            try:
                self.server.start()
            except (AssertionError, OSError) as error:  # it ended while it started: again
                self.run_.ledger.note("", "start failed", why=str(error)[-300:])

    def finish(self):
        self.ended.set()
        if self.is_alive():
            self.join()


class Fleet:
    """Workers on stacks of their own and, if wanted, clients that contend for one more, until they are told to stop."""

    def __init__(self, client, ledger, seed, count, worker, contests):
        self.client, self.ledger, self.stop = client, ledger, threading.Event()
        self.workers = [worker(number, client, ledger, seed, self.stop) for number in range(count)]
        self.contest = Contest(client, ledger, seed, clients=3, length=6) if contests else None
        self.threads = self.workers + ([threading.Thread(target=self.contend, daemon=True)] if contests else [])

    def start(self):
        for thread in self.threads:
            thread.start()
        return self

    def contend(self):
        try:
            while not self.stop.is_set() and not self.ledger.violations:
                self.contest.round()
        except Exception as error:  # whatever it is, the run has failed and must say so
            self.ledger.violation("contest", "client", ["%s: %s" % (type(error).__name__, error)])

    def finish(self, run):
        """Lets everyone end what it does and compare everything; a kind of work that was not done is a violation."""
        self.stop.set()
        for thread in self.threads:
            thread.join()
        run.summary(self.client)
        for needed in ("acknowledged", "updates", "versions compared at the end"):
            if not self.ledger.counts[needed]:
                run.violation("workload", "no %s: this run shows nothing" % needed)
