"""What the comparison must find, each against a server in memory that is honest or lies in one way."""
import json
import os
import tempfile
import threading
import unittest

from client import GaveUp, Refused
from ledger import Ledger
from model import Entry, State, event_problems, fold
from workload import Worker

HONEST = None
LIES = ("drops an entry", "drops a save", "flips a byte", "doubles an event", "drops an event", "drops a version",
        "makes up a resource", "keeps the old state", "lets two in")


class Server:
    """As much of the protocol as a worker uses, in memory; `lie` is what it does wrong from its second update on."""

    def __init__(self, lie):
        self.lie, self.state, self.versions, self.events, self.lock = lie, State(), {}, {}, threading.RLock()
        self.active, self.base, self.entries = None, State(), []
        self.attempts, self.retries, self.statuses = 1, 0, {}

    def lies(self, lie):
        return self.lie == lie and len(self.versions) > 1

    def send(self, method, path, body=None, lease=None, compress=False, attempts=4):
        with self.lock:
            return self.answer(path, json.loads(body) if body else {}, body)

    def insist(self, method, path, body=None):
        with self.lock:
            if path.endswith("/cancel"):
                self.active = None
                return 204, ""
            if "/export/" in path:
                return 200, self.export(self.versions[int(path.rpartition("/")[2])]["state"])
            return 200, self.export(self.state) if path.endswith("/export") else "{}"

    def json(self, path):
        with self.lock:
            if path.endswith("/updates"):
                rows = [{"version": number, "result": row["result"]} for number, row in self.versions.items()]
                return {"updates": rows[:0:-1] if self.lie == "drops a version" else rows[::-1]}
            return {"events": self.events.get(path.split("/")[-2], [])}

    def export(self, state):
        text = '{"version":3,"deployment":{"resources":[%s],"pending_operations":[%s]}}' % (
            ",".join(state.resources), ",".join('{"type":"creating","resource":%s}' % text for text in state.pending))
        return text.replace("1.50e+2", "1.51e+2", 1) if self.lies("flips a byte") else text

    def answer(self, path, body, text):
        what = path.rpartition("/")[2]
        if what == "begin-update":
            return self.begin()
        if what == "journalentries":
            dropped = 1 if self.lies("drops an entry") else 0
            entries = sorted(body["entries"], key=lambda entry: entry["sequenceID"])
            self.entries += [entry_of(entry, text) for entry in entries[:len(entries) - dropped]]
            self.state = fold(self.base, self.entries)
        elif what.startswith("checkpoint"):
            self.save(text)
        elif what == "batch":
            self.take_events(path.split("/")[-3], body["events"])
        elif what == "complete":
            if self.lies("keeps the old state"):
                self.state = self.base
            self.versions[len(self.versions)].update(result="succeeded", state=self.state)
            self.active = None
        return ""

    def begin(self):
        if self.active and not self.lies("lets two in"):
            raise Refused("begin", 409, "busy")
        number = len(self.versions) + 1
        self.active, self.base, self.entries = "u%d" % number, self.state, []
        self.versions[number] = {"result": "failed", "state": self.state}
        return json.dumps({"updateID": self.active, "token": "t", "version": number})

    def save(self, text):
        if self.lies("drops a save"):
            return
        if "deploymentDelta" in text:
            raise Refused("delta", 400, "this server takes whole states only")
        resources = split(text[text.index('"resources":[') + len('"resources":['):])
        if self.lies("makes up a resource"):
            resources.append('{"urn":"made up"}')
        self.state = State(resources)
        self.versions[len(self.versions)]["state"] = self.state

    def take_events(self, update, events):
        kept = self.events.setdefault(update, [])
        kept += events[1:] if self.lies("drops an event") else events
        kept += events[:1] if self.lies("doubles an event") else []
        kept.sort(key=lambda event: event["sequence"])


def split(text):
    """The elements of a list of objects, as they are written, up to its end."""
    decoder, position, found = json.JSONDecoder(), 0, []
    while text[position] != "]":
        _, end = decoder.raw_decode(text, position)
        found.append(text[position:end])
        position = end + (text[end] == ",")
    return found


def entry_of(entry, text):
    """The entry with the bytes that were sent of its resource."""
    resource, rest = None, text[text.index('"sequenceID":%d,' % entry["sequenceID"]):]
    for field, name in (("operation", '"operation":{"type":"creating","resource":'), ("state", '"state":')):
        if entry.get(field):
            start = rest.index(name) + len(name)
            resource = rest[start:json.JSONDecoder().raw_decode(rest, start)[1]]
    return Entry(entry["kind"], entry["sequenceID"], entry["operationID"], resource, entry["removeOld"],
                 entry["removeNew"])


class Short(Worker):
    saves, steps, large = (2, 5), (4, 12), 1000

    def abandon(self, update, variants):
        if len(variants) > 1:
            super().abandon(update, variants)


class Away(Server):
    """Answers no journal, however often it comes."""

    def send(self, method, path, *rest, **options):
        if path.endswith("/journalentries"):
            raise GaveUp("no answer")
        return super().send(method, path, *rest, **options)


def violations(lie, seed, server=Server, must_finish=False):
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(os.path.join(folder, "ledger.jsonl"))
        worker = Short(0, server(lie), ledger, seed, threading.Event())
        worker.must_finish = must_finish
        try:
            for mode in ("journal", "plain", "verbatim", "journal", "plain", "verbatim"):
                worker.update(mode)
            worker.check_history()
        finally:
            worker.senders.shutdown()
            ledger.file.close()
        return ledger.violations


class LedgerTests(unittest.TestCase):
    def test_nothing_is_found_of_an_honest_server(self):
        for seed in range(5):
            self.assertEqual(violations(HONEST, seed), [])

    def test_each_lie_is_found(self):
        for lie in LIES:
            with self.subTest(lie=lie):
                self.assertTrue(any(violations(lie, seed) for seed in range(3)), "%s was not found" % lie)

    def test_what_was_lost_counts_as_lost(self):
        self.assertTrue(any(problem.startswith("LOST") for _, _, problem in violations("drops a save", 1)))

    def test_an_update_that_is_given_up_is_a_violation_only_where_each_must_finish(self):
        self.assertEqual(violations(HONEST, 1, Away), [])
        found = violations(HONEST, 1, Away, must_finish=True)
        self.assertTrue(found and all("given up" in problem for _, _, problem in found), found)

    def test_a_line_is_in_the_file_when_note_returns(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "ledger.jsonl")
            ledger = Ledger(path)
            threads = [threading.Thread(target=ledger.note, args=("s", "line"), kwargs={"n": n}) for n in range(20)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            with open(path, encoding="utf-8") as file:
                self.assertEqual(sorted(json.loads(line)["n"] for line in file), list(range(20)))
            ledger.file.close()


class ModelTests(unittest.TestCase):
    TEXTS = ['{"urn":"a","n":1.50e+2}', '{"urn":"b","n":2}']

    @staticmethod
    def body(resources, pending=('{"urn":"c"}',)):
        return '{"version":3,"deployment":{"resources":[%s],"pending_operations":[%s]}}' % (
            ",".join(resources), ",".join('{"type":"creating","resource":%s}' % text for text in pending))

    def test_a_state_is_what_was_sent_to_the_byte(self):
        state, texts = State(self.TEXTS, ['{"urn":"c"}']), self.TEXTS
        wrong = [self.body(texts[:1]), self.body(texts[::-1]), self.body(texts + texts[:1]),
                 self.body(texts + ['{"urn":"x"}']), self.body(texts, []), self.body(texts, ['{"urn":"c"}'] * 2),
                 self.body(['{"urn":"a","n":150.0}', texts[1]]), self.body(['{"urn":"a","n":1.51e+2}', texts[1]])]

        self.assertEqual(state.problems(self.body(texts)), [])
        for text in wrong:
            self.assertTrue(state.problems(text), text)

    def test_events_are_there_once_and_in_order(self):
        events = {sequence: {"sequence": sequence, "text": "event"} for sequence in range(3)}
        listed = list(events.values())
        tampered = [listed[1:], listed + listed[:1], listed + [{"sequence": 7}], listed[::-1],
                    [{"sequence": 0, "text": "other"}, *listed[1:]]]

        self.assertEqual(event_problems(events, {}, listed), [])
        self.assertEqual(event_problems({}, events, listed[:1]), [])
        for found in tampered:
            self.assertTrue(event_problems(events, {}, found), found)


if __name__ == "__main__":
    unittest.main()
