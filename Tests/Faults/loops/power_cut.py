"""Power is cut under load: what a file system had not synced is gone, what was acknowledged is not (R-03, R-04).

The server's data is on an ext4 of its own. At the cut the file system stops without writing its log; then it is mounted
again and the server is started on what is left. A marker that nobody syncs must get lost now and then: a cut that
loses nothing shows nothing.
"""
import os
import signal

from machine import Disk

STACKS = 8


def run(run):
    disk = Disk(run)
    server = run.server(CAIRN_DATA=os.path.join(disk.folder, "data")).start()
    fleet = run.fleet(run.client(server.port), STACKS, contests=True).start()
    markers_lost = 0
    for number in run.rounds():
        run.await_progress()
        run.pause(0.05, 0.6)
        marker = os.path.join(disk.folder, "marker-%d" % number)
        with open(marker, "w", encoding="ascii") as file:
            file.write("unsynced")
        run.fault("power cut", number=number)
        # A machine without power runs nothing. A call to sync that is under way when ext4 stops may return without an
        # error although its log was not written (45 of 300 times for a plain program that appends); what the server
        # confirmed upon that, no real cut would have let out.
        server.process.send_signal(signal.SIGSTOP)
        disk.cut_power()
        server.kill()
        disk.unmount()
        disk.mount()
        markers_lost += not os.path.exists(marker) or not os.path.getsize(marker)
        server.start()
    fleet.finish(run)
    run.say("%d of %d unsynced markers lost" % (markers_lost, run.done))
    if not markers_lost:
        run.violation("control", "no unsynced marker was lost: these cuts show nothing")
    run.stop(server)
    disk.unmount()
    disk.repair()
