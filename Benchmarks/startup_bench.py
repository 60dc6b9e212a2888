"""Time from the start of the process to the first 200 of /readyz, what an idle server with many stacks takes, and how
long it is away after SIGKILL with a long log."""

import base64
import concurrent.futures
import contextlib
import http.client
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import harness
import load
from state_model import Stack

FLOOR_MS, STRETCH_MS = 200, 50
STACKS, SENDERS, IDLE_SECONDS = 10_000, 8, 20
# The most memory that the process has had since its start, in MB.
FLOOR_MB = 60
# SQLite's write-ahead log when the server is killed, the batches that make it so long, of as many resources of 8 KB as
# fit into a row, and how long the server may be away (goal G-05).
LOG_MB, UPDATES, BATCHES, RESOURCES, KILLS = 200, 8, 380, 7, 3
FLOOR_AWAY_MS = 1000
BINARY_MB = 30


def run(options):
    times, memory = [], 0.0
    for _ in range(5):
        with harness.start_cairn(options.binary, options.settings) as server:
            times.append(server.ready_after * 1000)
            memory = max(memory, server.peak_megabytes())
    median = statistics.median(times)
    passed = median <= FLOOR_MS
    print(
        f"  ready after {median:.0f} ms (fastest {min(times):.0f}, slowest {max(times):.0f}; floor {FLOOR_MS} ms, "
        f"stretch {STRETCH_MS} ms), {memory:.0f} MB: {'pass' if passed else 'FAIL'}"
    )
    size = stripped_megabytes(options.binary)
    if size:
        passed &= size <= BINARY_MB
        print(f"  executable without symbols {size:.1f} MB (floor {BINARY_MB} MB): {'pass' if size <= BINARY_MB else 'FAIL'}")
    idle = with_stacks(options)
    passed &= idle["peak_mb"] <= FLOOR_MB
    print(
        f"  with {STACKS} stacks, {IDLE_SECONDS} s idle: ready after {idle['ready_ms']:.0f} ms, "
        f"{idle['resident_mb']:.0f} MB, peak {idle['peak_mb']:.0f} MB (floor {FLOOR_MB} MB): "
        f"{'pass' if idle['peak_mb'] <= FLOOR_MB else 'FAIL'}"
    )
    with load.folder_in_memory() as folder:
        bodies = long_journals(folder)
        kills = [after_a_kill(options, bodies, load.Sender(folder)) for _ in range(KILLS)]
    away = statistics.median(kill["ready_ms"] for kill in kills)
    passed &= away <= FLOOR_AWAY_MS
    print(
        f"  killed with a log of {min(kill['log_mb'] for kill in kills):.0f} MB: ready after {away:.0f} ms (slowest "
        f"{max(kill['ready_ms'] for kill in kills):.0f}, CPU "
        f"{statistics.median(kill['ready_cpu_ms'] for kill in kills):.0f}; floor {FLOOR_AWAY_MS} ms), the first save "
        f"answered after {statistics.median(kill['saved_ms'] for kill in kills):.0f} ms, nothing lost: "
        f"{'pass' if away <= FLOOR_AWAY_MS else 'FAIL'}"
    )
    if not options.no_results:
        figures = {"median_ms": median, "times_ms": times, "peak_mb": memory, "floor_ms": FLOOR_MS, "idle": idle, "binary_mb": size,
                   "kills": kills, "passed": passed}
        harness.save("startup", {"conditions": harness.conditions(), "results": figures})
    return passed


def with_stacks(options):
    """A server that starts over a database of many stacks, and has nothing to do."""
    with harness.start_cairn(options.binary, options.settings) as server:
        with concurrent.futures.ThreadPoolExecutor(SENDERS) as senders:
            list(senders.map(lambda first: make_stacks(server.port, range(first, STACKS, SENDERS)), range(SENDERS)))
        server.restart()
        time.sleep(IDLE_SECONDS)
        return {"stacks": STACKS, "ready_ms": server.ready_after * 1000, "resident_mb": server.megabytes("VmRSS"),
                "peak_mb": server.peak_megabytes()}


def make_stacks(port, numbers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    fields = {"Authorization": "token " + harness.TOKEN, "Content-Type": "application/json",
              "Accept": "application/vnd.pulumi+9"}
    for number in numbers:
        body = json.dumps({"stackName": "stack-%d" % number, "tags": {"pulumi:project": "many"}})
        connection.request("POST", "/api/stacks/main/many", body, fields)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise harness.NoFigure("a stack was not made: %d %s" % (answer.status, text[:200]))
    connection.close()


def long_journals(folder):
    names = [f"log{number}" for number in range(UPDATES)]
    return dict(zip(names, load.prepare([(journal_bodies, f"{folder}/{name}", Stack(name)) for name in names])))


def journal_bodies(path, stack):
    """Batches of one update. One more than is sent before the kill, for the first save after it."""
    bodies = load.Bodies(path, compress=False)
    provider = f',"secretsProvider":{stack.secrets_provider()}'
    for first in range(0, (BATCHES + 1) * RESOURCES, RESOURCES):
        entries = [] if first else [entry(6, 1, 0, provider)]
        for number in range(first, first + RESOURCES):
            entries.append(entry(0, 2 * number + 2, number + 1))
            entries.append(entry(1, 2 * number + 3, number + 1, f',"state":{resource(stack, number)}'))
        bodies.add('{"entries":[%s]}' % ",".join(entries))
    return bodies


def entry(kind, sequence, operation, fields=""):
    return (f'{{"version":1,"kind":{kind},"sequenceID":{sequence},"operationID":{operation},"removeOld":null,'
            f'"removeNew":null{fields}}}')


def stripped_megabytes(binary):
    """The size of the executable without symbols; nothing where there is no `strip`."""
    if not shutil.which("strip"):
        return None
    with tempfile.NamedTemporaryFile() as file:
        subprocess.run(["strip", "-o", file.name, binary], check=True)
        return os.path.getsize(file.name) / 1e6


def resource(stack, number):
    """Text that compression leaves long."""
    digits = base64.b64encode(random.Random(f"{stack.name}/{number}").randbytes(6000)).decode()
    return f'{{"urn":"{stack.resource_urn(number)}","custom":true,"id":"i{number}","type":"t","key":"{digits}"}}'


def after_a_kill(options, bodies, sender):
    """From SIGKILL to ready and to the first answered save, with a log that a reader from outside has held back."""
    with harness.start_cairn(options.binary, options.settings) as server:
        client, plan, updates = load.Client(server.port), load.Plan(), []
        with reader(server) as outside:
            for name, journal in bodies.items():
                client.create(Stack(name))
                updates.append(client.begin(Stack(name)))
                plan.connection()
                for index in range(BATCHES):
                    plan.request("batch", "PATCH", updates[-1][0] + "/journalentries", updates[-1][1], journal, index)
            sender.send(server.port, plan)
            log, killed = log_megabytes(server), time.monotonic()
            server.child.kill()
            outside.kill()
            server.child.wait()
        if log < LOG_MB:
            raise harness.NoFigure(f"the log has {log:.0f} MB only")
        server.start()
        ready, used = (time.monotonic() - killed) * 1000, server.cpu_seconds() * 1000
        saved = []
        for (path, token), journal in zip(updates, bodies.values()):
            client.send("PATCH", path + "/journalentries", journal.read(BATCHES), token)
            saved.append((time.monotonic() - killed) * 1000)
        for update, name in zip(updates, bodies):
            client.complete(update)
            texts = [resource(Stack(name), number) for number in range((BATCHES + 1) * RESOURCES)]
            load.check_resources(client.export(Stack(name)), texts, f"journal of {name}")
        return {"log_mb": log, "ready_ms": ready, "ready_cpu_ms": used, "saved_ms": saved[0]}


def log_megabytes(server):
    return sum(os.path.getsize(path) for path in server.folder.glob("**/*-wal")) / 1e6


@contextlib.contextmanager
def reader(server):
    """Another process that reads the database, as a copying one does: the log cannot begin anew.

    It has to be killed, since the last one to close a database empties the log.
    """
    path = next(server.folder.glob("**/*-wal")).as_posix().removesuffix("-wal")
    code = ("import sqlite3, sys; base = sqlite3.connect(sys.argv[1], isolation_level=None); base.execute('BEGIN');"
            "base.execute('SELECT count(*) FROM sqlite_master').fetchall(); print(flush=True); sys.stdin.read()")
    child = subprocess.Popen([sys.executable, "-c", code, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        child.stdout.readline()
        yield child
    finally:
        child.kill()
        child.wait()
        child.stdin.close()
        child.stdout.close()
