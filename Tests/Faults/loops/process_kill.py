"""SIGKILL of the server at any moment, while stacks are updated and one is contended for (R-01, R-02, R-04, R-06)."""
import time

STACKS = 16


def run(run):
    server = run.server().start()
    fleet = run.fleet(run.client(server.port), STACKS, contests=True).start()
    slowest = 0
    for number in run.rounds():
        run.await_progress()
        run.pause(0.05, 0.6)
        run.fault("kill", number=number)
        server.kill()
        if run.choice.random() < 0.1:
            run.pause(0, 1)
        began = time.monotonic()
        server.start()
        slowest = max(slowest, time.monotonic() - began)
    fleet.finish(run)
    run.say("slowest start %.2f s" % slowest)
    run.stop(server)
