"""Time from the start of the process to the first 200 of /readyz."""

import statistics

import harness

FLOOR_MS, STRETCH_MS = 200, 50


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
    if not options.no_results:
        figures = {"median_ms": median, "times_ms": times, "peak_mb": memory, "floor_ms": FLOOR_MS, "passed": passed}
        harness.save("startup", {"conditions": harness.conditions(), "results": figures})
    return passed
