"""Large updates go on while the server, or the database below it, is killed again and again: all of them finish.

A client repeats each request as the command line does, after 1, 2 and 4 seconds, and no longer (goals G-01, G-02). An
update of which one request had to be given up is a violation here, whatever the state is then. A cycle is an update
that has finished; how many a kill has hit is said at the end.
"""
import time

from process import at_most
from workload import Worker

STACKS = 16
# A killed server is started again within this time.
AWAY = 0.8


class Journaling(Worker):
    """Journals in batches of 100 entries of about 1.2 KB, and gives nothing up."""
    project, versions, must_finish, changes_mind = "finish", 20, True, 0
    steps, batch, many, small, share_of_large = (600, 1600), (100, 101), 60, 4200, 0
    # Since the update began: whether there was a kill, and whether a request had to be repeated after it.
    struck = repeated = False

    def update(self, mode=None):
        super().update("journal")

    def begin(self, mode):
        update = super().begin(mode)
        self.struck = self.repeated = False
        return update

    def send(self, update, method, what, body, compress=True):
        super().send(update, method, what, body, compress)
        if what == "/journalentries":
            self.ledger.count("batches")
            self.ledger.count("bytes of batches", len(body))
        if self.struck and self.client.attempts > 1:
            self.repeated = True

    def complete(self, update):
        results = super().complete(update)
        self.ledger.count("updates that were hit", self.repeated)
        return results


def run(run, engine, every):
    """A kill each `every` seconds on the average; the first comes sooner, so that a short run has one."""
    database = None if engine == "sqlite" else run.database(engine)
    server = run.server(**(database.settings("cairn_finish") if database else {})).start()
    # As the command line waits; the first time for longer where a start may take longer than all three.
    fleet = run.fleet(run.client(server.port, waits=(at_most(1), 2, 4)), STACKS, worker=Journaling).start()
    counts, slowest, kills = run.ledger.counts, 0, 0
    due = time.monotonic() + run.choice.uniform(5, 10)
    while (run.done < run.cycles or not kills) and not run.ledger.violations:
        time.sleep(0.02)
        run.did(counts["updates"] - run.done)
        if time.monotonic() < due:
            continue
        due += every * run.choice.uniform(0.75, 1.25)
        kills += 1
        run.fault("kill", number=kills)
        slowest = max(slowest, strike(run, server, database, fleet))
    fleet.finish(run)
    run.did(counts["updates"] - run.done)
    run.say("%d kills; %d of %d updates were hit and finished; %.0f KB a batch; slowest way back %.2f s" % (
        kills, counts["updates that were hit"], counts["updates"], counts["bytes of batches"] / 1000 / max(counts["batches"], 1),
        slowest))
    if not counts["updates that were hit"]:
        run.violation("workload", "no update was hit by a kill: this run shows nothing")
    run.stop(server)


def strike(run, server, database, fleet):
    """Kills what is to be killed and starts it again; how long that took until the server was ready, in seconds."""
    began = time.monotonic()
    for worker in fleet.workers:
        worker.struck = True
    (database or server).kill()
    run.pause(0, AWAY)
    if database:
        database.resume()
        server.wait_until_ready()
    else:
        server.start()
    return time.monotonic() - began
