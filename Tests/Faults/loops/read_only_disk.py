"""The kernel finds the file system damaged under load, and makes it read-only (R-21).

Writes are refused with 503, reads go on, and `/readyz` says so. After the repair and a restart everything that was
acknowledged is there.

The server is held for the moment of the error: an fdatasync that is under way then may succeed although its bytes are
lost, without any server (3 of 30 times here, ext4 of Linux 6.18).
"""
import os
import time

from machine import Disk
from process import at_most

STACKS = 4


def run(run):
    disk = Disk(run, options="errors=remount-ro")
    server = run.server(CAIRN_DATA=os.path.join(disk.folder, "data")).start()
    fleet = run.fleet(run.client(server.port), STACKS).start()
    for number in run.rounds():
        run.await_progress()
        run.pause(0.1, 0.6)
        run.fault("read-only", number=number)
        server.pause()
        disk.fail()
        server.go_on()
        run.pause(0.2, 0.5)
        check(run, server, fleet)
        server.kill()
        disk.unmount()
        disk.repair()
        disk.mount()
        server.start()
    fleet.finish(run)
    run.stop(server)


def check(run, server, fleet):
    path = fleet.workers[0].path
    written = server.request("PATCH", path + "/tags", {"faults:x": "1"})
    if written.status != 503:
        run.violation("read-only", "a write is answered %r" % written)
    read = server.get(path + "/export")
    if read.status != 200:
        run.violation("read-only", "an export is answered %r" % read)
    # It writes once a second at most, and repeats what came of it meanwhile.
    deadline = time.monotonic() + at_most(5)
    while server.get("/readyz", token=None).status != 503:
        if time.monotonic() > deadline:
            return run.violation("read-only", "/readyz says that all is well")
        time.sleep(0.1)
