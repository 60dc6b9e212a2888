"""SIGKILL of the database below a server that goes on running, while stacks are updated (R-22)."""
import time

STACKS = 8
# How long the server may need to be ready again, once the database accepts connections.
BLACKOUT = 5


def run(run, engine):
    database = run.database(engine)
    server = run.server(**database.settings("cairn_kill")).start()
    fleet = run.fleet(run.client(server.port, waits=(1, 2, 4)), STACKS, contests=True).start()
    slowest = 0
    for number in run.rounds():
        run.await_progress()
        run.pause(0.05, 0.6)
        run.fault("kill", number=number)
        database.kill()
        run.pause(0, 0.5)
        database.resume()
        began = time.monotonic()
        try:
            server.wait_until_ready(BLACKOUT)
        except AssertionError as error:
            run.violation("recovery", str(error))
        slowest = max(slowest, time.monotonic() - began)
    fleet.finish(run)
    run.say("slowest way back %.2f s" % slowest)
    run.stop(server)
