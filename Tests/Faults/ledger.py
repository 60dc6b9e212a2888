"""What the workers meant to send and what they were told: durable, line by line, before and after each request."""
import collections
import json
import os
import threading
import time


class Ledger:
    """One file of JSON lines. Counts and violations are kept beside it for the comparison at the end."""

    def __init__(self, path):
        self.file = open(path, "a", encoding="utf-8")
        self.lock, self.syncing = threading.Lock(), threading.Lock()
        self.written = self.synced = 0
        self.counts = collections.Counter()
        self.violations = []
        self.began = time.monotonic()

    def note(self, stack, what, **details):
        """Returns when the line is on disk; lines of several threads share one sync."""
        with self.lock:
            line = {"t": round(time.monotonic() - self.began, 3), "stack": stack, "what": what, **details}
            self.file.write(json.dumps(line) + "\n")
            self.file.flush()
            self.written += 1
            ticket = self.written
        with self.syncing:
            if self.synced < ticket:
                covered = self.written
                os.fdatasync(self.file.fileno())
                self.synced = covered

    def count(self, what, number=1):
        with self.lock:
            self.counts[what] += number

    def violation(self, stack, where, problems):
        """Something that must never happen. A problem that begins with LOST counts as lost, any other as differing."""
        for problem in problems:
            self.note(stack, "VIOLATION", where=where, problem=problem)
            with self.lock:
                self.violations.append((stack, where, problem))

    @property
    def lost(self):
        return sum(problem.startswith("LOST") for _, _, problem in self.violations)

    @property
    def differing(self):
        return len(self.violations) - self.lost
