"""The process dies just before, or just after, the nth write, sync, rename, link or truncate of an update (R-05)."""
from points import Points


def run(run):
    points = Points(run)
    for mode, number in points.each():
        action = run.choice.choice((points.shim.KILL_BEFORE, points.shim.KILL_AFTER))
        run.fault("kill", mode=mode, call=number, action=action)
        points.shim.arm(number, action)
        points.update(mode)
    points.finish()
    if points.supervisor.starts != run.ledger.counts["faults that came"]:
        run.violation("server", "%d faults, but it ended %d times"
                      % (run.ledger.counts["faults that came"], points.supervisor.starts))
