"""Several clients at one stack: they begin, save, complete, cancel and read, and what they saw must have one order."""
import http.client
import json
import random
import threading

from linearizability import UNKNOWN, History

BEGIN = json.dumps({"updateKind": "update", "program": {
    "name": "contest", "runtime": "yaml", "main": "", "description": "", "options": {"dryRun": False}, "config": {},
    "metadata": {"message": "", "environment": {}}}})
DOCUMENT = ('{"isInvalid":false,"version":3,"deployment":{"manifest":{"time":"2026-01-02T03:04:05Z","magic":"",'
            '"version":""},"metadata":{},"resources":[{"urn":"urn:pulumi:s::contest::t:i:T::x","custom":true,'
            '"id":"%s","type":"t:i:T"}]}}')


class Contest:
    """Rounds of `clients` threads, each round with a stack of its own and `length` turns for each thread."""

    def __init__(self, client, ledger, seed, clients=6, length=12):
        self.client, self.ledger, self.clients, self.length = client, ledger, clients, length
        self.random, self.rounds = random.Random(seed), 0
        self.may_take_over = threading.Event()

    def round(self):
        """One round; the number of attempts to begin an update."""
        self.rounds += 1
        stack = Round(self, "contest%d" % self.rounds)
        threads = [threading.Thread(target=stack.play, name="c%d" % number, args=(self.random.random(),))
                   for number in range(self.clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        stack.look(random.Random(0))
        self.ledger.count("contests")
        self.ledger.violation(stack.path, "order", stack.history.problems())
        return sum(operation.kind == "start" for operation in stack.history.operations)


class Round:
    def __init__(self, contest, name):
        self.contest, self.client, self.history = contest, contest.client, History()
        self.path = "/api/stacks/main/contest/" + name
        self.made, self.lock, self.holders = 0, threading.Lock(), {}
        self.client.insist("POST", "/api/stacks/main/contest", json.dumps({"stackName": name}))

    def play(self, seed):
        choice = random.Random(seed)
        for _ in range(self.contest.length):
            turn = choice.random()
            (self.update if turn < 0.6 else self.look if turn < 0.9 else self.cancel_any)(choice)

    def ask(self, operation, method, path, body=None, lease=None, port=None):
        """One attempt, noted in the history: the answer's text, or nothing when it is refused or unknown."""
        self.contest.ledger.count("contest requests")
        try:
            status, text, _ = self.client.once(method, self.path + path, body, lease,
                                               port=port or random.choice(self.client.ports))
        except (OSError, http.client.HTTPException):
            return None
        answer = "ok" if status < 300 else "refused" if status in (403, 404, 409) else UNKNOWN
        if UNKNOWN == answer and status < 500 and status != 429:
            self.contest.ledger.violation(self.path, "contest", ["%s %s: %d %s" % (method, path, status, text[:200])])
        value = None
        if answer == "ok" and operation.kind == "start":
            with self.lock:
                self.holders[json.loads(text)["updateID"]] = operation.update
        if answer == "ok" and operation.kind == "read":
            resources = (json.loads(text).get("deployment") or {}).get("resources") or []
            value = resources[0]["id"] if resources else None
        self.history.answer(operation, answer, value)
        return text if answer == "ok" else None

    def update(self, choice):
        began = self.history.call("start", takes_over=self.contest.may_take_over.is_set())
        text = self.ask(began, "POST", "/begin-update", BEGIN)
        if not text:
            return
        answer = json.loads(text)
        update = "/update/" + answer["updateID"]
        for _ in range(choice.randrange(4)):
            with self.lock:
                self.made += 1
                value = "v%d" % self.made
            saved = self.history.call("save", began.update, value)
            if not self.ask(saved, "PATCH", update + "/checkpoint", DOCUMENT % value, answer["token"]) and \
                    saved.answer == "refused":
                return
            if choice.random() < 0.3:
                self.look(choice)
        if choice.random() < 0.9:
            self.ask(self.history.call("complete", began.update), "POST", update + "/complete",
                     '{"status":"succeeded"}', answer["token"])

    def look(self, _):
        self.ask(self.history.call("read"), "GET", "/export")

    def cancel_any(self, _):
        """Cancels whoever holds the stack; one whose beginning was not answered is known to nobody yet."""
        try:
            status, text, _ = self.client.once("GET", self.path)
        except (OSError, http.client.HTTPException):
            return
        active = json.loads(text).get("activeUpdate") if status == 200 else None
        if not active:
            return
        with self.lock:
            known = self.holders.get(active)
        if known is None:
            # Its answer may still be on the way, or never come: then it is the start that nobody knows the end of.
            self.client.insist("POST", "%s/update/%s/cancel" % (self.path, active))
            with self.lock:
                known = self.holders.get(active)
            self.anonymous_cancel(known)
            return
        self.ask(self.history.call("cancel", known), "POST", "/update/%s/cancel" % active)

    def anonymous_cancel(self, known):
        """A cancel whose moment is not known exactly, of an update that may be any whose start has no answer."""
        starts = [known] if known else [operation.update for operation in self.history.operations
                                        if operation.kind == "start" and operation.answer == UNKNOWN]
        for update in starts:
            operation = self.history.call("cancel", update)
            operation.called = 0
