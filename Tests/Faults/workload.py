"""One stack's life: updates of every kind of save, events in parallel, and after every trouble a comparison."""
import concurrent.futures
import hashlib
import json
import random
import threading

from client import GaveUp, Refused
from model import Entry, State, event_problems, fold

MODES = ("journal", "journal", "plain", "verbatim", "delta")


class Abandoned(Exception):
    """This update was given up and cancelled."""


class Running:
    """What is known of the update that holds the stack."""

    def __init__(self, answer, mode, base):
        self.id, self.lease, self.version, self.mode = answer["updateID"], answer["token"], answer["version"], mode
        self.base, self.entries, self.state = base, [], base
        self.sequence = self.operation = self.saves = self.events = 0
        self.text = None
        self.sent, self.unknown, self.batches = {}, {}, []


class Worker(threading.Thread):
    """One stack; everything it sends follows from the seed and its number.

    `may_expire` says that an update may be over early, as after a step of the clock: then a refusal ends it.
    `must_finish` makes it a violation that a request fails as often as the command line sends it.
    """
    may_expire = must_finish = False
    # How many documents an update saves, how many steps its journal has, and how many resources are large.
    saves, steps = (3, 15), (6, 60)
    # With more resources than this, most of what an update does is to remove some.
    many = 40
    small, large, share_of_large = 400, 200_000, 0.004
    # How many entries a batch waits for, and how often an update is cancelled though all is well.
    batch, changes_mind = (1, 9), 0.05
    # With so many versions of a stack a worker compares them all and goes on with a new one: what it knows of each is
    # held in memory. 0 for never.
    versions = 0
    project = "faults"

    def __init__(self, number, client, ledger, seed, stop):
        super().__init__(name="stack%02d" % number, daemon=True)
        self.client, self.ledger, self.stopped = client, ledger, stop
        self.random = random.Random("%s/%d" % (seed, number))
        self.made = 0
        self.move_to(self.name)
        self.senders = concurrent.futures.ThreadPoolExecutor(3)

    def move_to(self, name):
        """Names the stack that everything goes to from now on, one that nothing is in yet."""
        self.name, self.path = name, "/api/stacks/main/%s/%s" % (self.project, name)
        self.state, self.history = State(), {}

    def next_stack(self):
        self.check_history()
        first, _, part = self.name.partition("-")
        self.move_to("%s-%d" % (first, int(part or 0) + 1))
        self.create()

    def create(self):
        status, text = self.client.insist("POST", "/api/stacks/main/" + self.project,
                                          json.dumps({"stackName": self.name}))
        if status != 200 and "already exists" not in text:
            raise Refused("create", status, text)

    def run(self):
        try:
            self.create()
            while not self.stopped.is_set() and not self.ledger.violations:
                if self.versions and len(self.history) >= self.versions:
                    self.next_stack()
                self.update()
            self.check_history()
        except Exception as error:  # whatever it is, the run has failed and must say so
            self.ledger.violation(self.name, "worker", ["%s: %s" % (type(error).__name__, error)])
        finally:
            self.senders.shutdown()

    # --- One update -----------------------------------------------------------------------------------------------

    def update(self, mode=None):
        update = self.begin(mode or self.random.choice(MODES))
        results = {"failed"}
        try:
            self.save_by_journal(update) if update.mode == "journal" else self.save_whole(update)
            self.join_events(update)
            if self.random.random() < self.changes_mind:
                self.abandon(update, [update.state])
            results = self.complete(update)
        except Abandoned:
            self.join_events(update)
        self.state = update.state
        self.history[update.version] = (update, results)
        self.check_state(update, "after the update")
        self.check_events(update)
        update.entries = []  # thousands; from now on only the state is compared
        self.ledger.count("updates")

    def begin(self, mode):
        body = {"updateKind": "update", "program": {
            "name": "faults", "runtime": "yaml", "main": "", "description": "", "options": {"dryRun": False},
            "config": {}, "metadata": {"message": mode, "environment": {}}}}
        if mode == "journal":
            body["journalVersion"] = 2
        answer = self.ask_to_begin(body)
        self.ledger.note(self.name, "begun", id=answer["updateID"], version=answer["version"], mode=mode)
        return Running(answer, mode, self.state)

    def ask_to_begin(self, body):
        """The answer to a begin; where nobody knows whether one took effect, what runs is cancelled, and it asks again."""
        unknown = False
        while True:
            try:
                return json.loads(self.client.send("POST", self.path + "/begin-update", json.dumps(body), attempts=1))
            except GaveUp:
                unknown = True
                self.release()
            except Refused as refusal:
                # One whose answer was lost may have come into effect after the look at what runs.
                if not (self.may_expire or unknown) or refusal.status != 409:
                    raise
                self.release()

    def release(self):
        """Nobody knows whether a begin took effect: cancel what runs, as a person would."""
        active = self.client.json(self.path).get("activeUpdate")
        if active:
            self.client.insist("POST", "%s/update/%s/cancel" % (self.path, active))

    def send(self, update, method, what, body, compress=True):
        about = {"path": what, "sequence": update.sequence, "saves": update.saves}
        self.ledger.note(self.name, "intent", **about)
        try:
            self.client.send(method, "%s/update/%s%s" % (self.path, update.id, what), body, update.lease, compress)
        except Refused as refusal:
            self.ledger.note(self.name, "refused", status=refusal.status, **about)
            if not self.may_expire or refusal.status not in (403, 409):
                raise
            self.ledger.count("ended early")
            raise GaveUp(str(refusal)) from refusal
        except GaveUp as reason:
            self.ledger.note(self.name, "unknown", **about)
            if self.must_finish:
                self.ledger.violation(self.name, "update %s" % update.id, ["a request was given up: %s" % reason])
            raise
        self.ledger.note(self.name, "acknowledged", **about)
        self.ledger.count("acknowledged")

    def abandon(self, update, variants):
        """Cancels; the state must be one of these, and that is the state from now on."""
        self.ledger.note(self.name, "abandon", id=update.id)
        self.ledger.count("abandoned")
        status, text = self.client.insist("POST", "%s/update/%s/cancel" % (self.path, update.id))
        if status >= 300 and status != 409:
            raise Refused("cancel", status, text)
        body = self.export()
        problems = []
        for variant in variants:
            problems = variant.problems(body)
            if not problems:
                update.state = variant
                raise Abandoned
        self.ledger.violation(self.name, "after giving up update %s" % update.id, problems)
        raise Abandoned

    def complete(self, update):
        """The results that the history may show."""
        try:
            self.send(update, "POST", "/complete", '{"status":"succeeded"}', compress=False)
            return {"succeeded"}
        except GaveUp:
            self.release()
            return {"succeeded", "failed"}

    # --- Saves ----------------------------------------------------------------------------------------------------

    def resource(self, key=None):
        """Text with what a parser would not give back: digits, escapes, order of keys."""
        self.made += 1
        key = key or "r%d" % self.made
        size = self.large if self.random.random() < self.share_of_large else self.random.randrange(self.small)
        return ('{"urn":"urn:pulumi:%s::faults::test:index:Thing::%s","type":"test:index:Thing","custom":true,'
                '"id":"%s-%d","inputs":{"z":1.50e+2,"a":123456789012345678901234567890,"text":"\\u00e9\\/ü \\u0041",'
                '"padding":"%s"},"outputs":{}}'
                % (self.name, key, key, self.made, self.random.randbytes(size // 2).hex()))

    def save_by_journal(self, update):
        provider = {"type": "service", "state": {"url": "http://localhost", "owner": "main", "project": "faults",
                                                 "stack": self.name}}
        queue = [self.entry(update, 6, text=json.dumps(provider))]
        targets = [("old", index) for index in range(len(update.base.resources))]
        operations = []
        for _ in range(self.random.randrange(*self.steps)):
            if operations and self.random.random() < 0.5:
                queue.append(self.end(update, operations, targets))
            else:
                queue.append(self.open(update, operations, targets))
            if len(queue) >= self.random.randrange(*self.batch):
                self.send_entries(update, queue)
                queue = []
                self.between(update)
        while operations:
            queue.append(self.end(update, operations, targets))
        self.send_entries(update, queue)

    def entry(self, update, kind, **fields):
        update.sequence += 1
        return Entry(kind, update.sequence, **fields)

    def open(self, update, operations, targets):
        """Begins a creation, or the change or deletion of something that is there."""
        update.operation += 1
        if targets and self.random.random() < (0.8 if len(targets) > self.many else 0.4):
            target = targets.pop(self.random.randrange(len(targets)))
            deletes = self.random.random() < 0.5
            operations.append((update.operation, target, None if deletes else self.resource()))
            return self.entry(update, 0, operation=update.operation)
        text = self.resource()
        operations.append((update.operation, None, text))
        return self.entry(update, 0, operation=update.operation, text=text)

    def end(self, update, operations, targets):
        operation, target, text = operations.pop(self.random.randrange(len(operations)))
        if self.random.random() < 0.1:
            if target:
                targets.append(target)
            return self.entry(update, 2, operation=operation)
        if text:
            targets.append(("new", operation))
        old = target[1] if target and target[0] == "old" else None
        new = target[1] if target and target[0] == "new" else None
        return self.entry(update, 1, operation=operation, text=text, remove_old=old, remove_new=new)

    def send_entries(self, update, batch):
        shuffled = self.random.sample(batch, len(batch))
        body = '{"entries":[%s]}' % ",".join(entry.json() for entry in shuffled)
        after = fold(update.base, update.entries + batch)
        try:
            self.send(update, "PATCH", "/journalentries", body)
        except GaveUp:
            self.abandon(update, [update.state, after])
        update.entries += batch
        update.state = after
        self.ledger.count("entries", len(batch))

    def save_whole(self, update):
        resources = list(update.base.resources)
        for _ in range(self.random.randrange(*self.saves)):
            at = self.random.randrange(len(resources) + 1)
            if resources and self.random.random() < (0.7 if len(resources) > self.many else 0.3):
                resources.pop(min(at, len(resources) - 1))
            else:
                resources.insert(at, self.resource())
            after = State(resources)
            try:
                self.save_document(update, resources)
            except GaveUp:
                self.abandon(update, [update.state, after])
            update.state = after
            self.ledger.count("checkpoints")
            self.between(update)

    def save_document(self, update, resources):
        deployment = ('{"manifest":{"time":"2026-01-02T03:04:05Z","magic":"","version":""},"metadata":{},'
                      '"resources":[%s]}' % ",".join(resources))
        update.saves += 1
        if update.mode == "plain":
            return self.send(update, "PATCH", "/checkpoint",
                             '{"isInvalid":false,"version":3,"deployment":%s}' % deployment)
        text = '{"version":3,"deployment":%s}' % deployment
        before, update.text = update.text, text
        if update.mode == "delta" and before is not None:
            try:
                return self.send(update, "PATCH", "/checkpointdelta", delta(before, text, update.saves))
            except (GaveUp, Refused) as error:
                self.ledger.note(self.name, "delta refused", why=str(error))
                self.ledger.count("deltas that fell back")
        return self.send(update, "PATCH", "/checkpointverbatim", '{"version":3,"untypedDeployment":%s,'
                         '"sequenceNumber":%d}' % (text, update.saves))

    # --- Meanwhile ------------------------------------------------------------------------------------------------

    def between(self, update):
        """After an acknowledged save: events, a renewal, a rival, and a look when the save had to be repeated."""
        looks = self.random.random() < 0.02
        if looks or self.client.attempts > 1:
            self.check_state(update, "during the update")
        if self.random.random() < 0.5:
            update.batches.append(self.senders.submit(self.send_events, update, self.new_events(update)))
        if self.random.random() < 0.05:
            try:
                self.send(update, "POST", "/renew_lease", '{"token":"","duration":300}', compress=False)
            except GaveUp:
                pass  # the command line ignores it as well
        if self.random.random() < 0.05:
            self.rival(update)

    def rival(self, update):
        try:
            answer = self.client.send("POST", self.path + "/begin-update", json.dumps({
                "updateKind": "update", "program": {"name": "faults", "options": {"dryRun": False}}}), attempts=1)
            if self.may_expire:
                self.ledger.count("taken over")
                self.client.insist("POST", "%s/update/%s/cancel" % (self.path, json.loads(answer)["updateID"]))
            else:
                self.ledger.violation(self.name, "update %s" % update.id, ["a second update holds the stack"])
        except Refused as refusal:
            if refusal.status != 409:
                raise
            self.ledger.count("rivals refused")
        except GaveUp:
            pass

    def new_events(self, update):
        first, update.events = update.events, update.events + self.random.randrange(1, 21)
        return {sequence: {"sequence": sequence, "timestamp": 1767323045 + sequence, "diagnosticEvent": {
            "message": "event %d of %s\n" % (sequence, update.id), "color": "raw", "severity": "info"}}
            for sequence in range(first, update.events)}

    def send_events(self, update, events):
        try:
            self.send(update, "POST", "/events/batch", json.dumps({"events": list(events.values())}))
            update.sent.update(events)
            self.ledger.count("events", len(events))
        except GaveUp:
            update.unknown.update(events)
        except Refused as refusal:
            if refusal.status != 409:
                self.ledger.violation(self.name, "events", [str(refusal)])
            update.unknown.update(events)

    def join_events(self, update):
        for batch in update.batches:
            batch.result()

    # --- Comparisons ----------------------------------------------------------------------------------------------

    def export(self, version=""):
        status, text = self.client.insist("GET", "%s/export%s" % (self.path, version))
        if status != 200:
            raise Refused("export" + version, status, text)
        return text

    def check_state(self, update, when):
        self.ledger.count("comparisons")
        problems = update.state.problems(self.export())
        self.ledger.violation(self.name, "%s %s (%s)" % (when, update.id, update.mode), problems)

    def check_state_now(self, when):
        """Between two updates."""
        self.ledger.count("comparisons")
        self.ledger.violation(self.name, when, self.state.problems(self.export()))

    def check_events(self, update):
        self.ledger.violation(self.name, "events of " + update.id,
                              event_problems(update.sent, update.unknown, self.events_of(update)))

    def events_of(self, update):
        found, token = [], ""
        while token is not None:
            page = self.client.json("%s/update/%s/events?continuationToken=%s" % (self.path, update.id, token)
                                    if token else "%s/update/%s/events" % (self.path, update.id))
            found += page["events"]
            token = page.get("continuationToken")
        return found

    def check_history(self):
        """Every version is what it was when it ended, and there is one history."""
        rows = self.client.json(self.path + "/updates")["updates"]
        versions = [row["version"] for row in rows]
        if versions != list(range(len(rows), 0, -1)):
            self.ledger.violation(self.name, "history", ["FORK or gap: versions %s" % versions])
        for row in rows:
            update, results = self.history.get(row["version"], (None, {"failed"}))
            if row["result"] not in results:
                self.ledger.violation(self.name, "history", ["version %d %s" % (row["version"], row["result"])])
            if update:
                problems = update.state.problems(self.export("/%d" % row["version"]))
                self.ledger.violation(self.name, "version %d" % row["version"], problems)
                self.check_events(update)
        missing = set(self.history) - set(versions)
        self.ledger.violation(self.name, "history", ["LOST version %d" % version for version in missing])
        self.ledger.count("versions compared at the end", len(self.history))


def delta(before, after, sequence):
    """One edit between what both texts begin and end with; offsets count bytes."""
    start = common(before, after)
    end = common(before[start:][::-1], after[start:][::-1])
    first, last = len(before[:start].encode()), len(before[:len(before) - end].encode())
    edit = {"Span": {"uri": "", "start": {"line": 1, "column": 1, "offset": first},
                     "end": {"line": 1, "column": 1, "offset": last}}, "NewText": after[start:len(after) - end]}
    return json.dumps({"version": 3, "checkpointHash": hashlib.sha256(after.encode()).hexdigest(),
                       "sequenceNumber": sequence, "deploymentDelta": [edit]})


def common(one, other):
    """How many characters both begin with."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low
