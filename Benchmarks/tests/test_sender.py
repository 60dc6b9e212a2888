"""The histogram against sorted lists; schedule, retries and recovery of pacer.c against a server that misbehaves."""

import http.server
import json
import os
import random
import subprocess
import tempfile
import threading
import time
import unittest

import adapters
import harness
from generator import baseline, plan
from generator.histogram import SLOTS, Histogram, slot_of, top_of


class Histograms(unittest.TestCase):
    def values(self):
        choice = random.Random(7)
        return [choice.randrange(10) for _ in range(50)] + [int(10 ** choice.uniform(0, 9)) for _ in range(5000)]

    def test_slots_cover_everything_without_gaps(self):
        for slot in range(SLOTS - 1):
            self.assertEqual(slot_of(top_of(slot)), slot)
            self.assertEqual(slot_of(top_of(slot) + 1), slot + 1)

    def test_quantiles_are_those_of_the_sorted_list(self):
        values, found = self.values(), Histogram()
        for value in values:
            found.add(value)
        values.sort()
        for step in range(1, 1001):
            exact = values[max(0, int(step / 1000 * len(values) + 0.999999) - 1)]
            self.assertTrue(exact <= found.quantile(step / 1000) <= exact * 1.001, step)

    def test_merging_is_adding(self):
        values, halves, all_of = self.values(), [Histogram(), Histogram()], Histogram()
        for number, value in enumerate(values):
            halves[number % 2].add(value), all_of.add(value)
        merged = halves[0].merge(halves[1])
        self.assertEqual((merged.slots, merged.count, merged.largest), (all_of.slots, all_of.count, all_of.largest))

    def test_the_sender_counts_alike(self):
        values, found = self.values(), Histogram()
        for value in values:
            found.add(value)
        with tempfile.TemporaryDirectory() as folder:
            program = plan.Pacer(folder).program
            text = subprocess.run([program, "histogram"], input=" ".join(map(str, values)), capture_output=True, text=True,
                                  check=True).stdout.splitlines()
        self.assertEqual(list(map(int, text[:1001])), [found.quantile(step / 1000) for step in range(1001)])
        printed = Histogram.of_sender(json.loads(text[1001]))
        self.assertEqual((printed.slots, printed.count, printed.largest), (found.slots, found.count, found.largest))


# Each reading of this clock is 0.2 ms after the one before it.
COARSE_CLOCK = """
#include <time.h>
int clock_gettime(clockid_t which, struct timespec *time) {
    static long readings;
    long long at = (long long)++readings * 200000;
    (void)which;
    time->tv_sec = at / 1000000000, time->tv_nsec = at % 1000000000;
    return 0;
}
"""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version, wbufsize = "HTTP/1.1", 1 << 16

    def answer(self):
        length = int(self.headers.get("Content-Length", 0))
        self.server.seen.append((time.monotonic(), self.command, self.path, dict(self.headers), self.rfile.read(length)))
        status, text, headers = self.server.script(self.path, len(self.server.seen))
        if not status:
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PATCH = answer

    def log_message(self, *_):
        pass


class Sending(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.built = tempfile.TemporaryDirectory()
        cls.pacer = plan.Pacer(cls.built.name)

    @classmethod
    def tearDownClass(cls):
        cls.built.cleanup()

    def setUp(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads, self.server.seen = True, []
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.folder = tempfile.TemporaryDirectory()
        self.pacer = Sending.pacer
        self.bodies = plan.Bodies(self.folder.name + "/bodies")

    def tearDown(self):
        self.server.shutdown()
        self.server.server_close()
        self.folder.cleanup()

    def run_jobs(self, answer, script, phases=(0.05, 0.5), rate=0.0, queues=1, slots=(), seconds=20, environment=None,
                 **options):
        self.server.script = answer
        jobs = [plan.Queue([(script, "/S", list(slots))]) for _ in range(queues)]
        path = self.pacer.write(self.bodies, jobs, phases, rate, **options)
        return self.pacer.run(path, [f"127.0.0.1:{self.server.server_address[1]}"], "secret", seconds,
                              environment=environment)

    def test_the_schedule_is_kept_and_a_stall_is_charged_to_all_who_wait(self):
        def answer(path, number):
            if number == 5:
                time.sleep(0.25)
            return 200, b"{}", {}

        script = plan.Script("job").stage().send("get", "GET", "{S}")
        found = self.run_jobs(answer, script, rate=50)
        total = found.histogram("@job", [0, 1])
        self.assertTrue(26 <= total.count <= 28, total.count)
        # One request stalled, but about a dozen jobs were due meanwhile and count from when they were due.
        self.assertGreater(sum(count for slot, count in total.slots.items() if top_of(slot) > 20_000), 8)
        self.assertGreater(total.largest, 240_000)

    def test_a_closed_loop_ends_wherever_between_two_readings_of_the_clock_the_end_comes(self):
        library = self.folder.name + "/clock.so"
        subprocess.run(["gcc", "-std=gnu17", "-shared", "-fPIC", "-x", "c", "-o", library, "-"], input=COARSE_CLOCK,
                       text=True, check=True)
        script = plan.Script("job").stage().send("get", "GET", "{S}")
        for tenths in range(100, 140, 2):
            with self.subTest(milliseconds=tenths / 10):
                found = self.run_jobs(lambda path, number: (200, b"{}", {}), script, (0.005, tenths / 1e4), seconds=1,
                                      environment={**os.environ, "LD_PRELOAD": library})
                self.assertEqual(found.unstarted, 0)

    def test_variables_headers_and_compression(self):
        def answer(path, number):
            return 200, b'{"updateID": "u-1", "token":"lease","continuationToken":null}', {}

        script = plan.Script("job").stage()
        script.send("create", "POST", "{S}/update", 0, captures="updateID>u,token>t")
        script.stage().send("patch", "PATCH", "{S}/update/{u}", 1, "l").lane().send("poll", "GET", "{S}/{u}{c}", gzip=False)
        slots = [self.bodies.add("{}", False), self.bodies.add("body")]
        self.run_jobs(answer, script, limit=1, slots=slots)
        seen = {command: (path, headers, body) for _, command, path, headers, body in self.server.seen}
        self.assertEqual(seen["POST"][1]["Authorization"], "token secret")
        self.assertEqual(seen["POST"][1]["Accept"], adapters.ACCEPT)
        self.assertNotIn("Content-Encoding", seen["POST"][1])
        self.assertEqual(seen["PATCH"][0], "/S/update/u-1")
        self.assertEqual(seen["PATCH"][1]["Authorization"], "update-token lease")
        self.assertEqual(seen["PATCH"][1]["Content-Encoding"], "gzip")
        self.assertEqual(seen["PATCH"][2], plan.gzipped(b"body"))
        self.assertEqual(seen["GET"][0], "/S/u-1")
        self.assertNotIn("Accept-Encoding", seen["GET"][1])

    def test_pages_are_read_to_the_last(self):
        def answer(path, number):
            return 200, json.dumps({"continuationToken": f"t{number}" if number < 3 else None}).encode(), {}

        script = plan.Script("job").stage().send("list", "GET", "/l?a=b{c}", loops=True, captures="continuationToken>c")
        self.run_jobs(answer, script, limit=1)
        self.assertEqual([path for _, _, path, _, _ in self.server.seen],
                         ["/l?a=b", "/l?a=b&continuationToken=t1", "/l?a=b&continuationToken=t2"])

    def test_retries_are_those_of_the_command_line(self):
        answers = {1: (0, b"", {}), 2: (503, b"", {}), 3: (200, b"{}", {})}
        script = plan.Script("job").stage().send("get", "GET", "{S}")
        gaps = []
        for _ in range(3):  # the machine may stand still for a second
            self.server.seen.clear()
            found = self.run_jobs(lambda path, number: answers[number], script, limit=1)
            times = [seen[0] for seen in self.server.seen]
            gaps.append((times[1] - times[0], times[2] - times[1]))
            self.assertGreaterEqual(gaps[-1][0], 1)
            self.assertGreaterEqual(gaps[-1][1], 2)
            self.assertEqual(found.retries(), 2)
            if gaps[-1][0] < 2 and gaps[-1][1] < 4:
                return
        self.fail("it waited too long: %s" % gaps)

    def test_create_is_not_repeated_and_a_wrong_answer_ends_the_run(self):
        script = plan.Script("job").stage().send("create", "POST", "{S}", self.bodies.add("{}", False))
        for status in (503, 409):
            self.server.seen.clear()
            with self.assertRaisesRegex(harness.NoFigure, f"answered {status}"):
                self.run_jobs(lambda path, number: (status, b"no", {}), script, limit=1, slots=[0])
            self.assertEqual(len(self.server.seen), 1)

    def test_what_a_busy_server_refuses_is_repeated_when_it_says_when(self):
        script = plan.Script("job").stage().send("create", "POST", "{S}", self.bodies.add("{}", False))
        busy = (503, b"", {"Retry-After": "1"})
        found = self.run_jobs(lambda path, number: busy if number == 1 else (200, b"{}", {}), script, limit=1, slots=[0])
        times = [seen[0] for seen in self.server.seen]
        self.assertGreaterEqual(times[1] - times[0], 2)
        self.assertEqual((len(times), found.retries()), (2, 1))

    def test_a_broken_job_is_tried_again_after_recovery(self):
        script = plan.Script("job").stage().send("create", "POST", "{S}", self.bodies.add("{}", False))
        recovery = plan.Script("recover").stage().send("recover", "GET", "/recover")
        found = self.run_jobs(lambda path, number: (503 if number == 1 else 200, b"{}", {}), script, limit=1, slots=[0],
                              recovery=recovery)
        self.assertEqual([path for _, _, path, _, _ in self.server.seen], ["/S", "/recover", "/S"])
        self.assertEqual((found.restarts, found.printed["queues"]), (1, [1]))


class Adapters(unittest.TestCase):
    def test_peculiarities(self):
        known = adapters.classes()
        edits = [{"Span": {}, "NewText": 'a"b'}]
        remote = known["remote"]([], "t", "o")
        self.assertEqual(json.loads(remote.deltas(edits)), edits)
        self.assertEqual(json.loads(json.loads(known["text-delta"]([], "t", "o").deltas(edits))), edits)
        self.assertFalse(known["structural"].compares_bytes)
        self.assertEqual(set(known["any-token"].lacks), {"C", "E"})
        self.assertTrue(all(adapter.compares_bytes for name, adapter in known.items() if name != "structural"))

    def test_only_this_machine_is_loaded_unless_told_otherwise(self):
        self.assertEqual(adapters.check_address("http://127.0.0.1:8080", False), "127.0.0.1:8080")
        self.assertEqual(adapters.check_address("http://10.0.0.1", True), "10.0.0.1:80")
        for url in ("http://10.0.0.1:8080", "https://127.0.0.1", "127.0.0.1:80"):
            with self.assertRaises(SystemExit):
                adapters.check_address(url, False)


class Baselines(unittest.TestCase):
    def test_only_what_has_fallen_by_more_than_the_tolerance_is_named(self):
        known = {"a": 1.0, "b": 1.0, "gone": 1.0}
        self.assertEqual(baseline.fallen({"a": 0.76, "b": 0.74, "new": 0.1}, known, 25), [("b", 0.74, 1.0)])


if __name__ == "__main__":
    unittest.main()
