"""Q: the power of the disk below the server is cut under updates of 8 stacks: what K leaves out of design's scenario K.

The work is done by the loop power-cut of Tests/Faults, which needs the right to mount.
"""

from scenarios import crash

LETTER, TITLE = "Q", "power cuts"


def run(context):
    options = context.options
    if options.remote or options.engine != "sqlite":
        context.fail("Q power cuts", "not run: only the disk of a server on SQLite that the generator starts can be cut")
        return
    crash.count(context, "Q power cuts", 8, "power-cut", "cuts", options.cuts or context.pick(200, 2))
