"""HTTP: small requests at 32 connections with wrk on the same cores, and uploads of 100 MB."""

import contextlib
import json
import os
import re
import socket
import statistics
import struct
import subprocess
import sys
import time
from dataclasses import dataclass

import harness

AUTHORIZED = [f"Authorization: token {harness.TOKEN}", "Accept: application/vnd.pulumi+9"]
UPLOAD_BYTES = 100_000_000
STACK = "/api/stacks/main/bench/dev"
# How many connections are kept open beside the load, how often the load runs with and without them, and by how much the
# 99th percentile may grow (goal G-06).
IDLE, PAIRS, IDLE_FLOOR = 2_000, 7, 1.1


@dataclass
class Row:
    """One line of the table. Rates are requests per second, or MB/s for the upload; p99 in milliseconds."""

    name: str
    path: str
    floor: float
    stretch: float
    p99_floor: float | None = None
    method: str = "GET"
    headers: tuple = ()
    unit: str = "req/s"
    # Whether the HTTP server alone answers (HTTPSink), without Cairn above it.
    bare: bool = False
    # Whether it is measured with and without idle connections beside it.
    beside_idle: bool = False


def rows():
    return [
        Row("livez", "/livez", 120_000, 149_000),
        Row("user", "/api/user", 30_000, 60_000, 5.0, headers=tuple(AUTHORIZED)),
        Row("stack", STACK, 30_000, 60_000, 5.0, headers=tuple(AUTHORIZED)),
        Row("idle", STACK, 0, 0, headers=tuple(AUTHORIZED), beside_idle=True),
        Row("loop", "/loop", 120_000, 149_000, bare=True),
        Row("hop", "/hop", 90_000, 131_000, bare=True),
        Row("upload", "/upload", 1_000, 2_000, method="POST", unit="MB/s", bare=True),
    ]


def wrk(port, row, options):
    """One run of wrk; a refused or broken request makes the run worthless."""
    headers = [part for header in row.headers for part in ("-H", header)]
    command = ["wrk", "-t1", f"-c{options.connections}", f"-d{options.seconds}s", "-s", str(harness.HERE / "report.lua")]
    command += [*headers, f"http://127.0.0.1:{port}{row.path}"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = json.loads(re.search(r"^RESULT (.*)$", output, re.MULTILINE)[1])
    if found["refused"] or found["broken"]:
        raise harness.NoFigure(f"{found['refused']} requests refused, {found['broken']} broken")
    return {
        "requests": found["requests"],
        "rate": found["requests"] / found["seconds"],
        "p50_ms": found["p50"],
        "p99_ms": found["p99"],
        "max_ms": found["max"],
    }


def upload(port, row, body):
    """Sends one body from memory with sendfile and waits for the answer."""
    head = [f"{row.method} {row.path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {UPLOAD_BYTES}"]
    head += ["Content-Type: application/octet-stream", *row.headers, "", ""]
    with socket.create_connection(("127.0.0.1", port)) as connection:
        # Time-outs of the kernel: Python's own would make the socket non-blocking, and sendfile would spin.
        for option in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO):
            connection.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", 60, 0))
        began = time.monotonic()
        sent = 0
        try:
            connection.sendall("\r\n".join(head).encode())
            while sent < UPLOAD_BYTES:
                sent += os.sendfile(connection.fileno(), body, sent, UPLOAD_BYTES - sent)
        except OSError:
            pass  # The server answered before it had read everything; its answer says why.
        try:
            answer = connection.recv(4096)
        except OSError as error:
            raise harness.NoFigure(f"the upload broke off: {error.strerror}") from error
        seconds = time.monotonic() - began
    if sent < UPLOAD_BYTES or not re.match(rb"HTTP/1\.1 2\d\d ", answer):
        raise harness.NoFigure(f"answered {answer[9:12].decode(errors='replace') or 'nothing'}")
    milliseconds = seconds * 1000
    return {
        "requests": 1,
        "rate": UPLOAD_BYTES / 1e6 / seconds,
        "p50_ms": milliseconds,
        "p99_ms": milliseconds,
        "max_ms": milliseconds,
    }


def upload_body():
    body = os.memfd_create("upload")
    block = bytes(range(256)) * 3906 + bytes(64)
    for _ in range(100):
        os.write(body, block)
    assert os.fstat(body).st_size == UPLOAD_BYTES
    return body


def measure(server, row, options, body):
    if row.unit == "MB/s":
        return harness.measure(server, lambda: upload(server.port, row, body), max(options.repetitions, 5))
    return harness.measure(server, lambda: wrk(server.port, row, options), options.repetitions)


@contextlib.contextmanager
def idle_connections(server):
    """Kept alive, each after one request; still open when the load has ended, or there is no figure."""
    request = "\r\n".join(["GET /api/user HTTP/1.1", "Host: 127.0.0.1", *AUTHORIZED, "", ""]).encode()
    with contextlib.ExitStack() as kept:
        connections = []
        for number in range(IDLE):
            # Addresses of their own, since a server limits connections by address.
            source = (f"127.0.1.{number % 200 + 1}", 0)
            connections.append(kept.enter_context(socket.create_connection(("127.0.0.1", server.port), 30, source)))
            connections[-1].sendall(request)
        for connection in connections:
            if not connection.recv(65_536).startswith(b"HTTP/1.1 200"):
                raise harness.NoFigure("an idle connection was refused")
        yield
        for connection in connections:
            connection.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                connection.recv(1)
                raise harness.NoFigure("an idle connection was closed")


def measure_idle(server, row, options):
    """Pairs of runs, with the idle connections and without, in turns first; the median of the pairs' ratios."""
    pairs = []
    wrk(server.port, row, options)
    for number in range(PAIRS):
        pair = {}
        for idle in (True, False) if number % 2 else (False, True):
            with idle_connections(server) if idle else contextlib.nullcontext():
                before = server.cpu_seconds()
                pair[idle] = wrk(server.port, row, options)
                pair[idle]["cpu_us"] = (server.cpu_seconds() - before) * 1e6 / max(pair[idle]["requests"], 1)
        pairs.append(pair)
    medians = {idle: {key: statistics.median(pair[idle][key] for pair in pairs) for key in pairs[0][idle]}
               for idle in (False, True)}
    ratios = sorted(pair[True]["p99_ms"] / pair[False]["p99_ms"] for pair in pairs)
    return {"without": medians[False], "with": medians[True], "connections": IDLE, "ratios": ratios,
            "ratio": statistics.median(ratios), "floor": IDLE_FLOOR, "unit": "×",
            "verdict": "pass" if statistics.median(ratios) <= IDLE_FLOOR else "FAIL"}


def say_idle(row, found):
    few, many = found["without"], found["with"]
    print(
        f"{row.name}: {row.path} beside {IDLE:,} idle connections: p99 {many['p99_ms']:.2f} ms, without "
        f"{few['p99_ms']:.2f}; {many['rate']:,.0f} and {few['rate']:,.0f} req/s of {many['cpu_us']:.0f} and "
        f"{few['cpu_us']:.0f} µs; median of {PAIRS} pairs × {found['ratio']:.2f} ({found['ratios'][0]:.2f} to {found['ratios'][-1]:.2f}; floor {IDLE_FLOOR}): {found['verdict']}"
    )


def create_stack(server):
    headers = [*AUTHORIZED, "Content-Type: application/json"]
    status = server.status("POST", "/api/stacks/main/bench", b'{"stackName":"dev"}', headers)
    if status != 200:
        raise SystemExit(f"the stack main/bench/dev could not be created: status {status}")


def verdict(row, figures):
    if figures["rate"] < row.floor or (row.p99_floor and figures["p99_ms"] > row.p99_floor):
        return "FAIL"
    return "stretch" if figures["rate"] >= row.stretch else "pass"


def cells(row, figures, ruler):
    limit = f" ≤ {row.p99_floor:g}" if row.p99_floor else ""
    return [
        f"{row.name}: {row.method} {row.path}",
        f"{figures['rate']:,.0f} {row.unit}",
        f"±{figures['spread'] * 50:.0f} %",
        f"{row.floor:,.0f}",
        f"{row.stretch:,.0f}",
        f"{figures['p50_ms']:.2f}",
        f"{figures['p99_ms']:.2f}{limit}",
        f"{figures['cpu_us_per_request']:,.0f}",
        f"{figures['peak_mb']:.0f}",
        f"{figures['rate'] / ruler['rate']:.2f}",
        verdict(row, figures),
    ]


def start(wanted, options, servers):
    """Starts what the rows need: Cairn, with a stack to ask for, and the HTTP server alone."""
    cairn = sink = None
    if not all(row.bare for row in wanted):
        cairn = servers.enter_context(harness.start_cairn(options.binary, options.settings))
    if any(row.path == STACK for row in wanted):
        create_stack(cairn)
    if any(row.bare for row in wanted):
        if not options.sink:
            raise SystemExit("rows of the HTTP server alone need --sink PATH; ./dev bench http builds it")
        sink = servers.enter_context(harness.start_sink(options.sink))
    return cairn, sink


HEADING = ["row", "median", "spread", "floor", "stretch", "p50 ms", "p99 ms", "CPU µs", "peak MB", "of ruler", ""]


def run(options):
    wanted = [row for row in rows() if not options.only or row.name in options.only]
    if not wanted:
        raise SystemExit(f"no such row; there are: {', '.join(row.name for row in rows())}")
    conditions = harness.conditions()
    body = upload_body()
    rulers = {}
    with harness.start_baseline() as baseline:
        for unit in dict.fromkeys(row.unit for row in wanted):
            rulers[unit] = measure(baseline, Row("ruler", "/", 0, 0, unit=unit, method="POST"), options, body)
    table, results = [HEADING], {}
    with contextlib.ExitStack() as servers:
        cairn, sink = start(wanted, options, servers)
        for row in wanted:
            try:
                if row.beside_idle:
                    results[row.name] = measure_idle(cairn, row, options)
                    continue
                figures = measure(sink if row.bare else cairn, row, options, body)
            except harness.NoFigure as reason:
                table.append([f"{row.name}: {row.method} {row.path}: {reason}", *["–"] * 9, "FAIL"])
                results[row.name] = {"verdict": "FAIL", "reason": str(reason)}
                continue
            table.append(cells(row, figures, rulers[row.unit]))
            results[row.name] = {
                **figures,
                **{"unit": row.unit, "floor": row.floor, "stretch": row.stretch, "p99_floor_ms": row.p99_floor},
                "of_ruler": figures["rate"] / rulers[row.unit]["rate"],
                "verdict": verdict(row, figures),
            }
    os.close(body)
    harness.print_table(table)
    for row in wanted:
        if "ratio" in results[row.name]:
            say_idle(row, results[row.name])
    for unit, ruler in rulers.items():
        print(f"ruler (baseline.c): {ruler['rate']:,.0f} {unit}, p99 {ruler['p99_ms']:.2f} ms")
    print(
        f"wrk -t1 -c{options.connections}, {options.repetitions} × {options.seconds} s after a warm-up, same cores; "
        f"load before: {conditions['load_before']:.1f}"
    )
    if harness.busy(conditions):
        print("The machine was busy before: these figures are too low, only the share of the ruler means something.")
    if options.only and not options.no_results:
        harness.save_some("http", conditions, results, " ".join(sys.argv[1:]))
    elif not options.no_results:
        harness.save("http", {"conditions": conditions, "ruler": rulers, "results": results})
    return all(result["verdict"] != "FAIL" for result in results.values())
