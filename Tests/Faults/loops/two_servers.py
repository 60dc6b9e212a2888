"""Many clients contend for stacks through two servers, which are killed in turn (R-07, R-29).

What all of them saw of a stack must have one order: never two holders, every read after an acknowledged save sees it,
whichever server is asked. With objects in a bucket, large states are saved and compared meanwhile.
"""
import random
import threading
import time

import buckets
from contest import Contest
from loops.object_outage import Large
from servers import pair


def run(run, engine, bucket=False):
    extra = {"PULUMI_LOCAL_OBJECTS": None, **buckets.settings("cairn-pair-%d" % time.time_ns())} if bucket else {}
    servers = pair(run, engine, **extra)
    fleet = run.fleet(run.client(*[server.port for server in servers], waits=(1, 2, 4)), 4, worker=Large) if bucket else None
    if fleet:
        fleet.start()
    client = run.client(*[server.port for server in servers])
    contest = Contest(client, run.ledger, run.seed, clients=16, length=12)
    over = threading.Event()
    killer = threading.Thread(target=kill_in_turn, args=(run, servers, over), daemon=True)
    killer.start()
    # Without a kill in the time of the contests nothing has been shown: a short form goes on until there is one.
    while (run.done < run.cycles or not run.ledger.counts["kills"]) and not run.ledger.violations:
        run.did(contest.round())
    over.set()
    killer.join()
    if fleet:
        fleet.finish(run)
    run.summary(client)
    for server in servers:
        run.stop(server)


def kill_in_turn(run, servers, over):
    choice = random.Random(run.seed)
    while not over.wait(choice.uniform(0.5, 3)):
        server = choice.choice(servers)
        run.fault("kill", port=server.port)
        run.ledger.count("kills")
        server.kill()
        over.wait(choice.uniform(0, 0.3))
        server.start()
