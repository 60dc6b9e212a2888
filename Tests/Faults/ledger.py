"""What the workers were told, kept for the comparison at the end and, line by line, for people."""
import collections
import json
import threading
import time


class Ledger:
    def __init__(self, path):
        self.file = open(path, "a", encoding="utf-8")
        self.lock = threading.Lock()
        self.counts = collections.Counter()
        self.violations = []
        self.began = time.monotonic()

    def note(self, stack, what, **details):
        with self.lock:
            line = {"t": round(time.monotonic() - self.began, 3), "stack": stack, "what": what, **details}
            self.file.write(json.dumps(line) + "\n")
            self.file.flush()

    def count(self, what, number=1):
        with self.lock:
            self.counts[what] += number

    def violation(self, stack, where, problems):
        """Something that must never happen."""
        for problem in problems:
            self.note(stack, "VIOLATION", where=where, problem=problem)
            with self.lock:
                self.violations.append("%s, %s: %s" % (stack, where, problem))
