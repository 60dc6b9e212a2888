#!/usr/bin/env python3
"""Kills the server, or its database, again and again while 16 stacks are updated: nothing acknowledged is ever lost.

    kill.py sqlite|mariadb|mysql KILLS [--seed SEED]

Each worker keeps a ledger of what it sent and of what was acknowledged, repeats requests as the command line does, and
compares exports, every version, histories and events with it. Before anything is believed, the comparison itself is
tried: an answer that was tampered with must be found out.
"""
import argparse
import os
import random
import sys
import threading
import time

from client import Client
from databases import DatabaseServer
from ledger import Ledger
from model import State, event_problems
from process import TOKEN, Server
from workload import Worker

WORKERS = 16


def check_the_comparison():
    """Every way to lose, double, change or make up something must be seen."""
    texts = ['{"urn":"a","n":1.50e+2}', '{"urn":"b","n":2}']
    state = State(texts, ['{"urn":"c"}'])

    def body(resources, pending=('{"urn":"c"}',)):
        return '{"version":3,"deployment":{"resources":[%s],"pending_operations":[%s]}}' % (
            ",".join(resources), ",".join('{"type":"creating","resource":%s}' % text for text in pending))

    wrong = [body(texts[:1]), body(texts[::-1]), body(texts + texts[:1]), body(texts + ['{"urn":"x"}']),
             body(texts, []), body(texts, ['{"urn":"c"}'] * 2), body(['{"urn":"a","n":150.0}', texts[1]]),
             body(['{"urn":"a","n":1.51e+2}', texts[1]])]
    events = {sequence: {"sequence": sequence, "text": "event"} for sequence in range(3)}
    listed = list(events.values())
    tampered = [listed[1:], listed + listed[:1], listed + [{"sequence": 7}], listed[::-1],
                [{"sequence": 0, "text": "other"}, *listed[1:]]]
    assert not state.problems(body(texts)) and not event_problems(events, {}, listed)
    assert not event_problems({}, events, listed[:1])
    assert all(state.problems(text) for text in wrong)
    assert all(event_problems(events, {}, found) for found in tampered)


class Killed:
    """The server as the thing that is killed."""

    def __init__(self, server):
        self.server = server

    def kill(self):
        self.server.kill()

    def resume(self):
        self.server.start()


class KilledDatabase:
    """The database below a server that goes on running."""

    def __init__(self, server, database):
        self.server, self.database = server, database

    def kill(self):
        self.database.kill()

    def resume(self):
        self.database.resume()
        self.server.wait_until_ready(10)


def kill_repeatedly(victim, kills, ledger, choice):
    """Gives the clients time to come back between two kills, and now and then next to none."""
    slowest = 0
    for number in range(kills):
        time.sleep(choice.uniform(0.05, 0.5) if choice.random() < 0.15 else choice.uniform(0.6, 1.8))
        if ledger.violations:
            return slowest
        ledger.note("", "kill", number=number)
        victim.kill()
        if choice.random() < 0.2:
            time.sleep(choice.uniform(0, 1))
        began = time.monotonic()
        victim.resume()
        slowest = max(slowest, time.monotonic() - began)
        ledger.note("", "back", number=number)
    return slowest


def run(engine, kills, seed, folder):
    ledger = Ledger(os.path.join(folder, "ledger.jsonl"))
    choice = random.Random(seed)
    settings, database = {}, None
    if engine != "sqlite":
        database = DatabaseServer(engine, os.path.join(folder, "database"))
        settings = database.settings("cairn_kill")
    server = Server(os.path.join(folder, "server"), **settings)
    stop = threading.Event()
    try:
        server.start()
        client = Client([server.port], TOKEN)
        workers = [Worker(number, client, ledger, seed, stop) for number in range(WORKERS)]
        for worker in workers:
            worker.start()
        began = time.monotonic()
        slowest = kill_repeatedly(KilledDatabase(server, database) if database else Killed(server), kills, ledger, choice)
        stop.set()
        for worker in workers:
            worker.join()
        report(engine, kills, ledger, client, slowest, time.monotonic() - began)
        if server.stop() != 0:
            ledger.violation("", "server", ["did not end well"])
    finally:
        stop.set()
        server.kill()
        if database:
            database.stop()
    return ledger.violations


def report(engine, kills, ledger, client, slowest, seconds):
    counts = dict(ledger.counts)
    print("%s: %d kills in %.0f s; slowest way back %.2f s; %d retries" % (engine, kills, seconds, slowest, client.retries))
    print("  " + ", ".join("%d %s" % (number, what) for what, number in sorted(counts.items())))
    for needed in ("entries", "checkpoints", "events", "updates", "versions compared at the end"):
        if not counts.get(needed):
            ledger.violation("", "workload", ["no %s: this run shows nothing" % needed])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("engine", choices=["sqlite", "mariadb", "mysql"])
    parser.add_argument("kills", type=int)
    parser.add_argument("--seed", default=str(time.time_ns()))
    options = parser.parse_args()
    check_the_comparison()
    folder = os.path.join(os.environ["E2E_FOLDER"], "kill-" + options.engine)
    os.makedirs(folder)
    violations = run(options.engine, options.kills, options.seed, folder)
    for violation in violations[:40]:
        print(violation)
    if violations:
        print("%d violations; seed %s; ledger and log below %s" % (len(violations), options.seed, folder))
    else:
        print("  0 lost, 0 doubled, 0 changed, no fork")
    sys.exit(1 if violations else 0)


if __name__ == "__main__":
    main()
