"""Objects of 1 and 100 MB in SeaweedFS: the store of the server beside plain `curl`, in turns within one run."""

import json
import os
import statistics
import subprocess
import tempfile
import time
import urllib.parse

import harness

KEYS = "cairn-access:cairn-secret"
SIZES = {"1MB": (1_000_000, 100), "100MB": (100_000_000, 4)}
ROUNDS = 3
# Of the throughput of curl.
FLOOR = 0.8


def curl(*arguments):
    command = ["curl", "--silent", "--show-error", "--fail", "--aws-sigv4", "aws:amz:us-east-1:s3", "--user", KEYS]
    subprocess.run([*command, *arguments], check=True, stdout=subprocess.DEVNULL)


def curl_puts(url, file, count):
    """One process and one connection for all, one after the other."""
    arguments = []
    for number in range(count):
        arguments += ["--upload-file", file, "%s/curl/%d" % (url, number)]
    began = time.monotonic()
    curl(*arguments)
    return time.monotonic() - began


def curl_gets(url, count):
    arguments = []
    for number in range(count):
        arguments += ["--output", "/dev/null", "%s/curl/%d" % (url, number)]
    began = time.monotonic()
    curl(*arguments)
    return time.monotonic() - began


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))]


def one(options, url, bucket, size, count):
    """Rounds of curl and of ours, in turns."""
    location = "s3://%s?endpoint=%s&s3ForcePathStyle=true" % (bucket, url)
    ratios, reads, latencies, throughput = [], [], [], []
    with tempfile.NamedTemporaryFile(dir=os.environ.get("TMPDIR")) as file:
        file.write(os.urandom(size))
        file.flush()
        for _ in range(ROUNDS):
            put, get = curl_puts("%s/%s" % (url, bucket), file.name, count), curl_gets("%s/%s" % (url, bucket), count)
            ours = json.loads(subprocess.check_output([options.objects, location, str(size), str(count), "1"]))
            ratios.append(put / ours["put_seconds"])
            reads.append(get / ours["get_seconds"])
            latencies += ours["put_ms"]
            throughput.append(size * count / 1e6 / ours["put_seconds"])
    return {"put_ratio": statistics.median(ratios), "get_ratio": statistics.median(reads),
            "put_mb_per_s": statistics.median(throughput), "put_p50_ms": percentile(latencies, 0.5),
            "put_p99_ms": percentile(latencies, 0.99), "put_ratios": ratios, "get_ratios": reads}


def run(options):
    url = os.environ.get("CAIRN_TEST_SEAWEEDFS")
    if not url:
        raise SystemExit("bench objects needs SeaweedFS: ./dev services start")
    bucket = "cairn-bench-%d" % time.time_ns()
    curl("--request", "PUT", "%s/%s" % (url, bucket))
    results, passed = {}, True
    for name, (size, count) in SIZES.items():
        figures = results[name] = one(options, url, bucket, size, count)
        good = figures["put_ratio"] >= FLOOR
        passed &= good
        print("  %s: %.0f MB/s put, p50 %.1f ms, p99 %.1f ms; %.2f of curl's throughput (floor %.1f), gets %.2f: %s" % (
            name, figures["put_mb_per_s"], figures["put_p50_ms"], figures["put_p99_ms"], figures["put_ratio"], FLOOR,
            figures["get_ratio"], "pass" if good else "FAIL"))
    if not options.no_results:
        harness.save("objects", {"conditions": harness.conditions(), "results": results,
                                 "server": urllib.parse.urlsplit(url).netloc})
    return passed
