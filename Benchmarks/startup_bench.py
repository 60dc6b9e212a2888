"""Time from the start of the process to the first 200 of /readyz, and what an idle server with many stacks takes."""

import concurrent.futures
import http.client
import json
import statistics
import time

import harness

FLOOR_MS, STRETCH_MS = 200, 50
STACKS, SENDERS, IDLE_SECONDS = 10_000, 8, 20
# The most memory that the process has had since its start, in MB.
FLOOR_MB = 60


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
    idle = with_stacks(options)
    passed &= idle["peak_mb"] <= FLOOR_MB
    print(
        f"  with {STACKS} stacks, {IDLE_SECONDS} s idle: ready after {idle['ready_ms']:.0f} ms, "
        f"{idle['resident_mb']:.0f} MB, peak {idle['peak_mb']:.0f} MB (floor {FLOOR_MB} MB): "
        f"{'pass' if idle['peak_mb'] <= FLOOR_MB else 'FAIL'}"
    )
    if not options.no_results:
        figures = {"median_ms": median, "times_ms": times, "peak_mb": memory, "floor_ms": FLOOR_MS, "idle": idle,
                   "passed": passed}
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
