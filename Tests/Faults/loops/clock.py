"""The time of day steps, forwards and backwards, or stands still (R-28); the server is restarted now and then.

A wrong clock may end an update early, or leave a stack to a dead one for longer. It may not lose or change anything
that was acknowledged, nor let two updates write.
"""
from shims import ShiftedClock
from workload import Worker

STACKS = 6
TEN_YEARS = 10 * 365 * 86_400
STEPS = (1, -1, 300, -300, 3600, -3600, TEN_YEARS, -TEN_YEARS, 0, None)


class Clocked(Worker):
    may_expire = True


def run(run):
    clock = ShiftedClock(run)
    server = run.server(**clock.variables).start()
    fleet = run.fleet(run.client(server.port), STACKS, worker=Clocked, contests=True).start()
    # An update may be taken over whenever its time seems to be up.
    fleet.contest.may_take_over.set()
    for number in run.rounds():
        run.await_progress()
        run.pause(0.1, 0.5)
        step = run.choice.choice(STEPS)
        run.fault("frozen" if step is None else "shifted", number=number, seconds=step)
        clock.freeze() if step is None else clock.set(step)
        if run.choice.random() < 0.3:
            server.kill()
            run.pause(0, 0.3)
            server.start()
    fleet.finish(run)
    run.stop(server)
