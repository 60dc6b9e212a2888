"""What a server does to come past every failpoint: updates of each kind, stacks, secrets, cleaning up.

Each act compares what became of it, whatever happened meanwhile, and leaves the ledger as it must be.
"""
import base64
import http.client
import json
import os
import sqlite3
import threading
import time

from client import GaveUp, Refused
from failpoints import AHEAD
from model import State, fold
from points import MODES, Small
from process import at_most, until


class Acts(Small):
    """The acts on a server that runs; `rows` reaches its database behind its back, `objects` its folder, if it has one."""

    def __init__(self, client, ledger, seed, rows, objects, points, restarts, number=0):
        super().__init__(number, client, ledger, seed, threading.Event())
        self.rows, self.objects, self.points, self.stacks = rows, objects, points, 0
        self.restarts, self.known_restarts = restarts, restarts()
        # So many batches at once that some of them share a commit.
        self.senders = type(self.senders)(12)

    def all(self):
        """Acts by their names, the cheap ones first."""
        return {"secrets": self.secrets, "import": self.import_state, "stacks": self.make_and_move,
                **{mode: lambda mode=mode: self.update(mode) for mode in MODES + ("overlap", "events", "chain")},
                "dispatch": self.dispatch, "cleaning": self.clean_up,
                **({} if self.objects else {"huge": self.import_huge})}

    # --- Updates --------------------------------------------------------------------------------------------------

    def begin(self, mode):
        update = super().begin("journal" if mode == "overlap" else mode)
        update.mode = mode
        return update

    def save_whole(self, update):
        """As every mode does that is not called `journal`."""
        how = {"events": self.save_events, "overlap": self.save_overlapping, "chain": self.save_chain}
        how.get(update.mode, super().save_whole)(update)

    def save_events(self, update):
        """A batch that is too large for a row, many at once, and a renewal."""
        large = self.new_events(update)
        for event in large.values():
            event["diagnosticEvent"]["message"] = self.random.randbytes(200_000 // len(large)).hex()
        for events in [large] + [self.new_events(update) for _ in range(24)]:
            update.batches.append(self.senders.submit(self.send_events, update, events))
        try:
            self.send(update, "POST", "/renew_lease", '{"token":"","duration":300}', compress=False)
        except GaveUp:
            pass  # as the command line

    def save_overlapping(self, update):
        """The end of one batch is the beginning of the next."""
        operations = []
        provider = {"type": "service", "state": {"url": "http://localhost", "owner": "main", "project": self.project,
                                                 "stack": self.name}}
        first = [self.entry(update, 6, text=json.dumps(provider))] + [self.open(update, operations, [])
                                                                      for _ in range(3)]
        self.send_entries(update, first)
        more = [self.end(update, operations, []) for _ in range(3)]
        after = fold(update.base, update.entries + more)
        body = '{"entries":[%s]}' % ",".join(entry.json() for entry in first[-2:] + more)
        try:
            self.send(update, "PATCH", "/journalentries", body)
        except GaveUp:
            self.abandon(update, [update.state, after])
        update.entries, update.state = update.entries + more, after

    def save_chain(self, update):
        """More differences than are kept one after the other."""
        update.mode, resources = "delta", list(update.base.resources) + [self.bulky()]
        for number in range(132):
            # The first save, and the difference that is the last but one, are too large for a row.
            added = self.bulky() if number == 129 else self.resource()
            resources = resources + [added] if number % 2 else resources[:-1] if number else resources
            try:
                self.save_document(update, resources)
            except GaveUp:
                self.abandon(update, [update.state, State(resources)])
            update.state = State(resources)

    # --- Stacks ---------------------------------------------------------------------------------------------------

    def again(self, method, path, body=None, done=()):
        """Asks until it is answered as done: a status in `done` says that an attempt before had its effect."""
        deadline, attempts = time.monotonic() + at_most(60), 0
        while True:
            try:
                status, text, _ = self.client.once(method, path, body)
            except (OSError, http.client.HTTPException) as error:
                status, text = 599, repr(error)
            attempts += 1
            if status < 300 or (attempts > 1 and status in done):
                return json.loads(text) if status < 300 and text else None
            if status < 500 and status != 429:
                raise Refused("%s %s" % (method, path), status, text)
            if time.monotonic() > deadline:
                raise GaveUp("%s %s: %d %s" % (method, path, status, text))
            time.sleep(0.1)

    def new_stack(self, project="faults", state=None):
        """The path of a new stack, and the state it was made with."""
        self.stacks += 1
        name = "%s-%d" % (self.name, self.stacks)
        path = "/api/stacks/main/%s/%s" % (project, name)
        begins_with = ',"state":' + document(state) if state else ""
        self.again("POST", "/api/stacks/main/" + project, '{"stackName":"%s"%s}' % (name, begins_with), done=(409,))
        return path

    def expect(self, path, state, when):
        self.ledger.count("comparisons")
        status, text = self.client.insist("GET", path + "/export")
        problems = state.problems(text) if status == 200 else ["LOST stack: %d %s" % (status, text[:200])]
        self.ledger.violation(path, when, problems)

    def make_and_move(self):
        """A stack with a state is made, renamed, and deleted."""
        state = State([self.resource() for _ in range(2)])
        path = self.new_stack(state=state)
        self.expect(path, state, "made")
        name = path.rpartition("/")[2] + "-moved"
        moved = path.rpartition("/")[0] + "/" + name
        self.again("POST", path + "/rename", json.dumps({"newName": name}), done=(404,))
        # The names in the text are those of another stack, so that none is changed.
        self.expect(moved, state, "renamed")
        if self.client.insist("GET", path)[0] != 404:
            self.ledger.violation(path, "renamed", ["it has two names"])
        self.again("DELETE", moved + "?force=true", done=(404,))
        if self.client.insist("GET", moved)[0] != 404:
            self.ledger.violation(moved, "deleted", ["it is there"])

    def import_state(self):
        path, state = self.new_stack(), State([self.resource() for _ in range(3)])
        self.again("POST", path + "/import", document(state))
        self.expect(path, state, "imported")

    def secrets(self):
        """The first secrets of a stack and of a project."""
        self.stacks += 1
        project = "secrets%d" % self.stacks
        for path in (self.new_stack(project), "/api/projects/main/" + project):
            texts = [base64.b64encode(b"%d of %s" % (number, path.encode())).decode() for number in range(3)]
            sealed = [self.again("POST", path + "/encrypt", json.dumps({"plaintext": text}))["ciphertext"]
                      for text in texts]
            for text, secret in zip(texts, sealed):
                if self.again("POST", path + "/decrypt", json.dumps({"ciphertext": secret}))["plaintext"] != text:
                    self.ledger.violation(path, "secrets", ["a secret is not what it was"])

    # --- Behind the scenes ----------------------------------------------------------------------------------------

    def clean_up(self):
        """Stacks deleted long ago, updates that never began or whose lease is over, bytes that nothing names."""
        state = State([self.resource() for _ in range(3)] + [self.bulky()])
        gone, waiting, dead = self.new_stack(state=state), self.new_stack(), self.new_stack(state=state)
        self.again("DELETE", gone + "?force=true", done=(404,))
        program = json.dumps({"name": "faults", "runtime": "yaml", "main": "", "description": "",
                              "options": {"dryRun": False}, "config": {},
                              "metadata": {"message": "", "environment": {}}})
        self.again("POST", waiting + "/update", program)
        self.again("POST", dead + "/begin-update", '{"updateKind":"update","program":%s}' % program, done=(409,))
        named = self.named()
        self.make_old()
        self.rows.run("UPDATE stacks SET deleted_at = 1 WHERE live IS NULL",
                      "UPDATE updates SET created_at = 1 WHERE status = 'not started'",
                      "UPDATE updates SET lease_expires_at = 1 WHERE status = 'running'")
        until(lambda: self.worked_on("SELECT COUNT(*) FROM stacks WHERE live IS NULL")
              and self.worked_on("SELECT COUNT(*) FROM updates WHERE status IN ('not started', 'running')"),
              60, "what is dead was ended and removed")
        unnamed = {key.replace("/", ".") for key in named - self.named()}
        if self.objects:
            until(lambda: self.swept(unnamed), 60, "unnamed objects are deleted")
        if not unnamed:
            self.ledger.violation("cleaning", "control", ["the deleted stack had no object"])
        self.expect(dead, state, "cleaned up")

    def dispatch(self):
        """Events of changes leave the outbox."""
        self.new_stack()
        until(lambda: self.worked_on("SELECT COUNT(*) FROM domain_events", "events.dispatch"), 30, "events are taken")

    def import_huge(self):
        """A state that is too large for one request to a bucket."""
        huge = self.resource().replace('"padding":"', '"padding":"' + self.random.randbytes(10_000_000).hex())
        path, state = self.new_stack(), State([huge])
        self.again("POST", path + "/import", document(state))
        self.expect(path, state, "huge")

    def bulky(self):
        """A resource that is too large for a row, however it is compressed."""
        return self.resource().replace('"padding":"', '"padding":"' + self.random.randbytes(150_000).hex())

    def named(self):
        return set(self.rows.values("SELECT object FROM state_versions WHERE object IS NOT NULL"))

    def files(self):
        """Of the objects; none where they are in a bucket."""
        return [] if not self.objects else [os.path.join(folder, name) for folder, _, names in os.walk(os.path.join(self.objects, "objects"))
                for name in names]

    def make_old(self):
        """All objects were stored long ago."""
        long_ago = time.time() - 200_000
        for path in self.files():
            try:
                os.utime(path, (long_ago, long_ago))
            except FileNotFoundError:
                pass  # an update that has ended took it away

    def worked_on(self, question, kind="stacks.%"):
        """Has the jobs run at once; whether they have left nothing."""
        if self.rows.values(question) == ["0"]:
            return True
        self.rows.run("UPDATE jobs SET due_at = 0 WHERE kind LIKE '%s' AND locked_until IS NULL" % kind)
        self.unlock()
        time.sleep(0.2)
        return False

    def unlock(self):
        """Claims of a process that has died are over, which otherwise takes a minute."""
        if self.restarts() != self.known_restarts:
            self.known_restarts = self.restarts()
            self.rows.run("UPDATE jobs SET locked_until = NULL, locked_by = NULL")

    def swept(self, names):
        """Another hour has passed, by the clock of the sweeper; whether none of the files is there any more."""
        if not names & {os.path.basename(path) for path in self.files()}:
            return True
        self.points.set(AHEAD, self.points.get(AHEAD) + 4000)
        self.rows.run("UPDATE jobs SET due_at = 0 WHERE kind = 'stacks.housekeeping' AND locked_until IS NULL")
        self.unlock()
        time.sleep(0.2)
        return False


def document(state):
    """The text of an untyped deployment."""
    return ('{"version":3,"deployment":{"manifest":{"time":"2026-01-02T03:04:05Z","magic":"","version":""},'
            '"resources":[%s]}}' % ",".join(state.resources))


class SQLiteRows:
    """The database of a server as a file."""

    def __init__(self, path):
        self.path = path

    def run(self, *statements):
        self.ask(statements)

    def values(self, question):
        return [str(row[0]) for row in self.ask([question])]

    def ask(self, statements):
        database = sqlite3.connect(self.path, timeout=20, isolation_level=None)
        try:
            for statement in statements:
                rows = database.execute(statement).fetchall()
            return rows
        finally:
            database.close()


class MySQLRows:
    """A schema of a database server."""

    def __init__(self, database, schema):
        self.database, self.schema = database, schema

    def run(self, *statements):
        self.values(";".join(statements))

    def values(self, question):
        return self.database.execute("USE %s; %s" % (self.schema, question))
