"""The nth write, sync, rename, link or truncate of an update fails, or only half is written (R-14, R-16, R-20).

Nothing that was acknowledged may be missing, and the server must go on by itself. Now and then it is killed after the
error: what it said is on disk must be there, whatever it kept in memory.
"""
import errno

from points import Points

ERRORS = (errno.EIO, errno.EIO, errno.ENOSPC, errno.EROFS)


def run(run):
    points = Points(run)
    for mode, number in points.each():
        error, half = run.choice.choice(ERRORS), run.choice.random() < 0.1
        length = run.choice.choice((1, 1, 1, 3, 10))
        run.fault("error", mode=mode, call=number, calls=length, error=errno.errorcode[error], half=half)
        points.shim.arm(number, points.shim.WRITE_HALF if half else points.shim.FAIL, error, last=number + length - 1)
        points.update(mode)
        if run.choice.random() < 0.3:
            points.server.kill()
            points.worker.check_state_now("after a kill")
    points.finish()
