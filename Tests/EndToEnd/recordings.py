#!/usr/bin/env python3
"""Replays recordings of real clients against a running server and compares the failures with a list of known ones.

    recordings.py --url URL --token TOKEN --replay replay.py RECORDING…

Recordings run side by side: each uses stacks of its own. A failure that is not in KNOWN fails the run; so does a known
one that does not fail any more, because then the list is wrong.
"""
import argparse
import concurrent.futures
import os
import re
import subprocess
import sys

PATIENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "patient_replay.py")
PAGES = "recorded from a server that counts pages from 0; the specification counts from 1 (cli-protocol.md 14.1)"
POLICIES = "recorded from a server without policy routes (404); what is not built answers 501 here"

# (recording, number of the exchange): why the recording is wrong there.
KNOWN = {
    ("stacks", 173): PAGES, ("stacks", 177): PAGES, ("stacks", 181): PAGES, ("stacks", 193): PAGES,
    ("retries", 64): PAGES, ("edits", 333): PAGES,
    ("policy", 37): POLICIES, ("policy", 40): POLICIES,
}


def name_of(path):
    return os.path.basename(path).split(".jsonl")[0]


def run(replay, path, url, token):
    process = subprocess.run(
        [sys.executable, PATIENT, replay, path, "--url", url, "--token", token, "--org", "acme"],
        capture_output=True, text=True, timeout=1800)
    print("".join(line + "\n" for line in process.stdout.splitlines() if line.startswith("repeated")), end="")
    last = re.search(r"^(\d+) passed, (\d+) failed$", process.stdout, re.M)
    failures = [line.strip() for line in process.stdout.splitlines() if line.startswith("  FAIL ")]
    passed = int(last.group(1)) if last else 0
    if last is None:
        failures.append("FAIL #0 the replay ended without a result: " + process.stderr[-500:])
    return path, passed, failures


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("recordings", nargs="+")
    parser.add_argument("--url", required=True)
    parser.add_argument("--token", required=True)
    parser.add_argument("--replay", required=True)
    parser.add_argument("--jobs", type=int, default=4)
    options = parser.parse_args()
    total, unexpected, seen = 0, [], set()
    paths = sorted(options.recordings, key=os.path.getsize, reverse=True)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        tasks = [pool.submit(run, options.replay, path, options.url, options.token) for path in paths]
        for task in concurrent.futures.as_completed(tasks):
            path, passed, failures = task.result()
            total += passed
            for failure in failures:
                number = re.match(r"FAIL #(\d+)", failure)
                key = (name_of(path), int(number.group(1)) if number else -1)
                if key in KNOWN:
                    seen.add(key)
                else:
                    unexpected.append("%s: %s" % (name_of(path), failure[:300]))
    replayed = {name_of(path) for path in paths}
    stale = [key for key in KNOWN if key[0] in replayed and key not in seen]
    for line in unexpected:
        print(line)
    for name, number in stale:
        print("%s #%d is on the list of known failures and does not fail: take it off" % (name, number))
    print("%d recordings: %d checks passed, %d known to be wrong, %d unexpected failures"
          % (len(paths), total, len(seen), len(unexpected)))
    return 1 if unexpected or stale or total == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
