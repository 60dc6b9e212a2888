"""Bits that changed at rest, in objects and in rows: found whenever they are read, named, and never served (R-18).

Stacks in every condition are read once. Then, again and again, one stored piece is flipped, cut, zeroed or replaced by
another one; every text that can be read of its stack must be what it was or an error, and at least one must be an
error; the texts of another stack must all be what they were. Then the piece is put back.
"""
import gzip
import http.client
import json
import os
import sqlite3
import threading
import time

from client import Refused
from model import Entry
from points import MODES
from process import TOKEN
from workload import Worker

# Every column that holds bytes of a state, of a journal or of events.
COLUMNS = (("state_versions", "manifest"), ("state_versions", "body"), ("update_checkpoints", "body"),
           ("update_checkpoints", "prefix"), ("update_deltas", "body"), ("journal_segments", "body"),
           ("event_segments", "body"))
# More than what stands around the state in a save.
ENVELOPE = 64
# Where gzip has the time, how hard it tried, and the operating system (RFC 1952).
GZIP_FIELDS, GZIP_TRAILER = range(3, 10), 8
OWNERS = {"state_versions": "SELECT s.name FROM stacks s WHERE s.id = t.stack_id",
          None: "SELECT s.name FROM stacks s JOIN updates u ON u.stack_id = s.id WHERE u.id = t.update_id"}


class Author(Worker):
    """Makes one stack: finished updates of every kind, and one that is left running."""
    saves, steps, many, large, share_of_large = (2, 4), (3, 9), 6, 150_000, 0.25

    def fill(self, left_running):
        self.create()
        for mode in MODES:
            self.update(mode)
        self.save_nothing_new()
        self.update("plain")
        update = self.begin(left_running)
        if left_running == "journal":
            self.send_entries(update, [self.entry(update, 6, text='{"type":"service","state":{}}')])
            for number in range(1, 5):
                self.send_entries(update, [Entry(0, 2 * number, number),
                                           Entry(1, 2 * number + 1, number, text=self.resource())])
        else:
            resources = list(update.base.resources)
            for _ in range(4):
                resources.append(self.resource())
                self.save_document(update, resources)
        self.send_events(update, self.new_events(update))
        self.state, self.running = update.state, update
        self.senders.shutdown()

    def save_nothing_new(self):
        """An update that saves the state as it is: its version has all its bytes in older ones."""
        update = self.begin("verbatim")
        self.save_document(update, update.base.resources)
        results = self.complete(update)
        self.history[update.version] = (update, results)


class Piece:
    """Something that is stored: a cell of a row or a file, with its stack."""

    def __init__(self, kind, stack, read, write):
        self.kind, self.stack, self.read, self.write = kind, stack, read, write


def pieces(database, objects):
    found = []
    for table, column in COLUMNS:
        owner = OWNERS.get(table, OWNERS[None])
        for row, stack in database.execute("SELECT t.rowid, (%s) FROM %s t WHERE length(t.%s) > 0"
                                           % (owner, table, column)).fetchall():
            found.append(cell(database, table, column, row, stack))
    named = {}
    for table in dict(COLUMNS):
        owner = OWNERS.get(table, OWNERS[None])
        for name, stack in database.execute("SELECT replace(object, '/', '.'), (%s) FROM %s t WHERE object IS NOT NULL"
                                            % (owner, table)).fetchall():
            named[name] = ("%s.object" % table, stack)
    for folder, _, files in os.walk(objects):
        # What no row names any more is read by nobody, and swept away later.
        found += [file(os.path.join(folder, name), *named[name]) for name in files if name in named]
    return found


def cell(database, table, column, row, stack):
    def read():
        return bytes(database.execute("SELECT %s FROM %s WHERE rowid = ?" % (column, table), (row,)).fetchone()[0])

    def write(content):
        database.execute("UPDATE %s SET %s = ? WHERE rowid = ?" % (table, column), (content, row))
        database.commit()

    return Piece("%s.%s" % (table, column), stack, read, write)


def file(path, kind, stack):
    def read():
        with open(path, "rb") as opened:
            return opened.read()

    def write(content):
        with open(path, "wb") as opened:
            opened.write(content)

    return Piece(kind, stack, read, write)


def damaged(content, other, choice):
    """Other bytes, what was done, and where that begins."""
    how = choice.choice(("flip", "flip", "cut", "swap", "zero"))
    if how == "swap" and other and other != content:
        return other, how, 0
    if how == "cut":
        at = choice.randrange(len(content))
        return content[:at], how, at
    if how == "zero":
        start = choice.randrange(len(content))
        zeroed = content[:start] + bytes(min(512, len(content) - start)) + content[start + 512:]
        if zeroed != content:
            return zeroed, how, start
    at = choice.randrange(len(content))
    return content[:at] + bytes([content[at] ^ 1 << choice.randrange(8)]) + content[at + 1:], "flip", at


class Reader:
    """Reads every text of a stack, compressed or not."""

    def __init__(self, port):
        self.port = port
        self.paths = {}

    def learn(self, client, author):
        paths = [author.path + "/export"]
        rows = client.json(author.path + "/updates")["updates"]
        paths += ["%s/export/%d" % (author.path, row["version"]) for row in rows if row["result"] != "in-progress"]
        updates = [update.id for update, _ in author.history.values()] + [author.running.id]
        paths += ["%s/update/%s/events" % (author.path, update) for update in updates]
        self.paths[author.name] = {path: self.get(path, False)[1] for path in paths}

    def get(self, path, compressed):
        """The status and the text; no text when the answer broke off, which a client notices as well."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path, headers={
                "Authorization": "token " + TOKEN, "Accept": "application/vnd.pulumi+9",
                "Accept-Encoding": "gzip" if compressed else "identity"})
            answer = connection.getresponse()
            body = answer.read()
            if answer.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            return answer.status, body
        except (http.client.HTTPException, OSError, EOFError):
            return 0, b""
        finally:
            connection.close()

    def compare(self, stack, compressed, most=None):
        """Which texts, or the first of them, were refused, and what was served but never stored."""
        refused, wrong = [], []
        for path, expected in list(self.paths[stack].items())[:most]:
            status, text = self.get(path, compressed)
            if status == 200 and text != expected:
                wrong.append("%s: SERVED damaged bytes: %s" % (path, text[:200]))
            elif status not in (0, 200):
                refused.append((path, status, text))
            elif status == 0:
                refused.append((path, status, b"broke off"))
        return refused, wrong


def renew(authors):
    for author in authors:
        author.send(author.running, "POST", "/renew_lease", '{"token":"","duration":300}', compress=False)


def run(run):
    server = run.server().start()
    client = run.client(server.port)
    reader = Reader(server.port)
    authors = [Author(number, client, run.ledger, run.seed, threading.Event()) for number in range(6)]
    for author, mode in zip(authors, MODES + ("plain", "delta")):
        author.fill(mode)
    renew(authors)
    for author in authors:
        reader.learn(client, author)
    data = server.variables["CAIRN_DATA"]
    database = sqlite3.connect(os.path.join(data, "cairn.db"), timeout=10)
    found = pieces(database, os.path.join(data, "objects"))
    kinds = sorted({piece.kind for piece in found})
    run.say("%d pieces: %s" % (len(found), ", ".join(kinds)))
    renewed = time.monotonic()
    for _ in run.rounds(violations=30):
        if time.monotonic() - renewed > 60:
            # An update that is given up would change what is stored.
            renewed = time.monotonic()
            renew(authors)
        one_flip(run, server, reader, found, kinds, lambda: nudge(client, authors[0], run.choice.random()))
    for kind in kinds:
        run.say("%s: %d damaged, %d found, %d without effect" % (
            kind, run.ledger.counts[kind], run.ledger.counts[kind + " found"],
            run.ledger.counts[kind + " without effect"]))
    database.close()
    run.stop(server)


def is_unread(kind, at, size):
    """Whether this is a place that nobody reads: what came of the rest has the hash that it must have.

    Saves are stored as they were sent, and some of their bytes are no part of any text: lines and columns of a
    difference, what stands before and behind the state in a whole save. In gzip: the time, the system and whether it may
    be text in the header, and what fills up the last byte of the compressed data.
    """
    if "_segments." in kind:
        return at in GZIP_FIELDS or at == size - GZIP_TRAILER - 1
    return kind.startswith("update_deltas.") or (
        kind.startswith("update_checkpoints.") and not ENVELOPE <= at < size - ENVELOPE)


def nudge(client, author, number):
    """A change of something else: until there is one, the server need not look whether the file has changed."""
    status, text = client.insist("PATCH", author.path + "/tags", json.dumps({"faults:flips": str(number)}))
    if status >= 300:
        raise Refused("tags", status, text)


def one_flip(run, server, reader, found, kinds, nudge_server):
    choice = run.choice
    kind = choice.choice(kinds)
    piece = choice.choice([piece for piece in found if piece.kind == kind])
    # What belongs to the same stack is the most likely to be mistaken for it.
    others = [other for other in found if other.kind == kind]
    other = choice.choice([other for other in others if other.stack == piece.stack or choice.random() < 0.2])
    content = piece.read()
    bad, how, at = damaged(content, other.read(), choice)
    run.fault(how, kind=kind, owner=piece.stack, at=at, size=len(content))
    piece.write(bad)
    if kind.startswith("update_"):
        # What a running update has saved is in memory as well.
        server.kill()
        server.start()
    nudge_server()
    compressed = choice.random() < 0.5
    refused, wrong = reader.compare(piece.stack, compressed)
    run.ledger.count(kind)
    what = "%s of %s at %d of %d, %s" % (how, kind, at, len(content), piece.stack)
    run.violation(what, *wrong)
    if refused:
        run.ledger.count(kind + " found")
    elif not wrong and is_unread(kind, at, len(content)):
        run.ledger.count(kind + " without effect")
    else:
        run.violation(what, "NOT FOUND: every text was served as if nothing were")
    for path, status, text in refused:
        run.ledger.count("answers %d" % status)
        if 0 < status < 500:
            run.violation(path, "damage is answered %d %s" % (status, text[:200]))
    others = [name for name in reader.paths if name != piece.stack]
    spoilt, wrong = reader.compare(choice.choice(others), compressed, most=2)
    run.violation("another stack", *wrong, *["%s: %d %s" % line for line in spoilt])
    piece.write(content)
    if choice.random() < 0.05:
        nudge_server()
        refused, wrong = reader.compare(piece.stack, compressed)
        run.violation("after putting it back", *wrong, *["%s: %d %s" % line for line in refused])
