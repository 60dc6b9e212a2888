#!/usr/bin/env python3
"""Bodies of 10 MB that inflate to 10 GB, a hundred at once on each route that takes gzip: each gets 413, and memory
stays what it was (spec/cli-protocol.md §22, 6)."""
import os
import threading
import unittest
import zlib

from process import Server, at_most, until

ROOT = os.environ["E2E_FOLDER"]
BOMBS = 100
# A streamed body keeps no more than its windows: a third of 1 MB for each connection that has not been used before.
STREAMED = BOMBS << 20


def held(limit):
    """What all bodies that are held whole may take together (Application.bodyMemory), and two that are just being
    inflated up to their route's limit, in MB."""
    return (256 + 2 * limit << 20) + STREAMED


MEMORY = held(200)


def bomb():
    """Blanks and blanks; the check sum at the end is missing, as nobody gets so far."""
    deflate = zlib.compressobj(9, wbits=-15)
    piece = deflate.compress(b" " * (16 << 20)) + deflate.flush(zlib.Z_FULL_FLUSH)
    return b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03" + piece * (10 * 1024 // 16)


class Bombs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(os.path.join(ROOT, "bombs")).start()
        cls.addClassCleanup(cls.server.kill)
        cls.bomb = bomb()
        cls.stack = "/api/stacks/main/site/dev"
        for name in ("dev", "journal", "idle"):
            cls.send("POST", "/api/stacks/main/site", {"stackName": name})
        cls.saving = cls.update("dev", {})
        cls.journaled = cls.update("journal", {"journalVersion": 1})

    @classmethod
    def send(cls, method, path, body):
        answer = cls.server.request(method, path, body)
        assert answer.status == 200, answer
        return answer.json()

    @classmethod
    def update(cls, stack, options):
        """Starts an update; gives its path and the header of whoever holds it."""
        path = "/api/stacks/main/site/%s/update" % stack
        made = cls.send("POST", path, {"name": "site", "runtime": "yaml", "main": "", "description": "", "options": {},
                                       "config": {}, "metadata": {"message": "", "environment": {}}})
        path += "/" + made["updateID"]
        return path, "update-token " + cls.send("POST", path, options)["token"]

    def memory(self, name):
        with open("/proc/%d/status" % self.server.process.pid, encoding="ascii") as status:
            return next(int(line.split()[1]) << 10 for line in status if line.startswith(name))

    def explode(self, method, path, authorization=None):
        """Sends all bombs at once; gives the answers."""
        answers = []

        def one():
            fields = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
            if authorization:
                fields["Authorization"] = authorization
            try:
                answers.append(self.server.request(method, path, self.bomb, headers=fields, timeout=at_most(120),
                                                   **({"token": None} if authorization else {})))
            except OSError as problem:
                answers.append(problem)

        threads = [threading.Thread(target=one) for _ in range(BOMBS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return answers

    def check(self, method, path, authorization=None, most=MEMORY):
        with open("/proc/%d/clear_refs" % self.server.process.pid, "w", encoding="ascii") as refs:
            refs.write("5")  # the peak counts from here
        before = self.memory("VmRSS:")

        answers = self.explode(method, path, authorization)

        wrong = [answer for answer in answers if getattr(answer, "status", None) not in (413, 429, 503)]
        refused = [answer for answer in answers if getattr(answer, "status", None) == 413]
        grown = self.memory("VmHWM:") - before
        print("%-70s %3d × 413, %+d MB" % (path[-70:], len(refused), grown >> 20), flush=True)
        self.assertEqual(wrong, [])
        self.assertGreater(len(refused), 0)
        self.assertTrue(all(answer.json()["code"] == 413 for answer in refused))
        self.assertLess(grown, most)
        until(lambda: self.server.status("/readyz") == 200, 60, "ready")

    def test_import(self):
        self.check("POST", "/api/stacks/main/site/idle/import", most=STREAMED)

    def test_new_stack(self):
        self.check("POST", "/api/stacks/main/site")

    def test_secrets(self):
        self.check("POST", self.stack + "/batch-encrypt")

    def test_saves(self):
        path, holder = self.saving
        for form, most in (("checkpoint", STREAMED), ("checkpointverbatim", STREAMED), ("checkpointdelta", held(512))):
            self.check("PATCH", "%s/%s" % (path, form), holder, most)

    def test_journal(self):
        self.check("PATCH", self.journaled[0] + "/journalentries", self.journaled[1])

    def test_events(self):
        self.check("POST", self.journaled[0] + "/events/batch", self.journaled[1])


if __name__ == "__main__":
    unittest.main()
