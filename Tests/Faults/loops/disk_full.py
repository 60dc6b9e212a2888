"""The disk fills up under load and gets space again (R-19, R-21).

While it is full, writes are refused with a reason, reads and exports go on, and nothing that was acknowledged is
missing; when there is space again, writes go on by themselves within seconds.
"""
import os
import shutil
import time

from machine import MemoryDisk

STACKS = 4
MEGABYTES = 160
# So many cycles are made on one installation, whose history grows.
CYCLES = 25


def run(run):
    disk, number = MemoryDisk(run, MEGABYTES), 0
    for _ in run.rounds():
        if number % CYCLES == 0:
            if number:
                end(run, server, fleet)
            server, fleet = begin(run, disk, number)
        number += 1
        one_cycle(run, disk, server, fleet)
    end(run, server, fleet)
    if not run.ledger.counts["times a write was refused"]:
        run.violation("control", "no write met a full disk: this run shows nothing")


def begin(run, disk, number):
    data = os.path.join(disk.folder, "data%d" % number)
    server = run.server("server%d" % number, CAIRN_DATA=data).start()
    return server, run.fleet(run.client(server.port), STACKS).start()


def end(run, server, fleet):
    fleet.finish(run)
    run.stop(server)
    shutil.rmtree(server.variables["CAIRN_DATA"])


def one_cycle(run, disk, server, fleet):
    run.await_progress()
    left = run.choice.randrange(0, 65) * 4096
    run.fault("full", left=left)
    refusals, deadline = refused(fleet.client), time.monotonic() + 1.5
    while refused(fleet.client) == refusals and time.monotonic() < deadline:
        disk.fill(left)
        time.sleep(0.02)
        left = max(0, left - 65_536)
    if refused(fleet.client) > refusals:
        run.ledger.count("times a write was refused")
    for worker in fleet.workers:
        answer = server.get(worker.path + "/export")
        if answer.status != 200:
            run.violation("full", "an export is answered %r" % answer)
    disk.empty()
    run.await_progress(seconds=5)


def refused(client):
    return sum(client.statuses[status] for status in (500, 503, 507))
