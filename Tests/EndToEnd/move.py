#!/usr/bin/env python3
"""All rows from SQLite to MariaDB and MySQL and back, and moves that are interrupted."""
import os
import random
import re
import shutil
import subprocess
import sys
import threading
import time
import unittest

from process import TOKEN, Server, make_schema, mysql_settings, until

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "examples"))
import first_update  # noqa: E402

ROOT = os.environ["E2E_FOLDER"]
SECRET = "the secret that must stay one \U0001f600"
STACKS = ("one", "two")

with open(os.path.join(HERE, "..", "..", "Sources", "Kernel", "Failpoints", "Failpoint.swift"), encoding="utf-8") as source:
    POINTS = {re.sub("[A-Z]", lambda letter: "." + letter[0].lower(), case)
              for case in re.findall(r"\bmove[A-Z]\w+", source.read())}
BACK = {"move.taken.back", "move.cancelling", "move.table.return", "move.tables.returned"}
SERVED = "move.target.served"
SOME = {"move.table.rename", "move.rows.copied", "move.source.closed"}
OFTEN = {"move.table.rename", "move.rows.inserted", "move.rows.copied"}
# Reached only where the source is copied while it is served; the last two where it was changed meanwhile.
ONLINE = {"move.trace.lay", "move.traces.laid", "move.table.checked", "move.changes.written", "move.changes.taken"}
LIFT = "move.trace.lift"


class Writer:
    """Runs updates of a stack until it is stopped, and knows what was acknowledged."""

    def __init__(self, server, name):
        self.server, self.name, self.error = server, name, None
        self.path, self.tags, self.updates = "/api/stacks/main/moves/" + name, {}, 0
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        try:
            client = first_update.Client("http://127.0.0.1:%d" % self.server.port, TOKEN)
            stack = first_update.Stack(client, "main", "moves", self.name)
            stack.create()
            secret = stack.encrypt(SECRET)
            while not self.is_over.is_set():
                first_update.run_update(stack, secret, client.url, lambda *_: None)
                self.updates += 1
                name, value = "tag-%d" % (self.updates % 5), str(self.updates)
                answer = self.server.request("PATCH", self.path + "/tags", {**self.tags, name: value})
                if answer.status not in (200, 204):
                    raise AssertionError(answer)
                self.tags[name] = value
        except BaseException as error:  # a refusal ends the example
            if not self.is_over.is_set():
                self.error = error

    def stop(self):
        """Once there is something to compare: on a slow disk, a copy ends before some updates have."""
        until(lambda: self.updates > 2 or self.error, 120, "three updates of " + self.name)
        self.is_over.set()
        self.thread.join()

    def assertAllThere(self, test):
        test.assertIsNone(self.error)
        test.assertGreater(self.updates, 2)
        stack = self.server.get(self.path).json()
        test.assertEqual({name: stack["tags"].get(name) for name in self.tags}, self.tags)
        history = self.server.get(self.path + "/updates?output-type=service").json()["updates"]
        test.assertGreaterEqual(len(history), self.updates)


class Moves:
    """On one kind of database server; `kind` is `MARIADB` or `MYSQL`."""

    kind = None

    def setUp(self):
        name = self.id().replace("__main__.", "")
        self.url = os.environ.get("CAIRN_TEST_" + self.kind)
        if not self.url:
            self.skipTest("CAIRN_TEST_%s is not set" % self.kind)
        self.folder = os.path.join(ROOT, name)
        os.makedirs(self.folder)
        self.schema = "cairn_move_%s_%d_%d" % (self.kind.lower(), os.getpid(), random.randrange(1 << 30))
        make_schema(self.url, self.schema)
        self.mysql = mysql_settings(self.url, self.schema)
        self.server = Server(os.path.join(self.folder, "server"))
        self.addCleanup(self.server.kill)

    # What is in it

    def stack(self, name):
        client = first_update.Client("http://127.0.0.1:%d" % self.server.port, TOKEN)
        return first_update.Stack(client, "main", "moves", name)

    def fill(self):
        """Stacks with updates, secrets, tags and events, one with an update that goes on, and tokens."""
        self.secrets = {}
        for name in STACKS:
            stack = self.stack(name)
            stack.create()
            self.secrets[name] = stack.encrypt(SECRET + name)
            for _ in range(2):
                first_update.run_update(stack, self.secrets[name], stack.client.url, lambda *_: None)
            answer = self.server.request("POST", stack.path + "/tags", {"name": "note", "value": "Große \U0001f600  "})
            self.assertIn(answer.status, (200, 204), answer)
        exported = self.server.get("/api/stacks/main/moves/one/export").json()
        large = [{"urn": "urn:pulumi:one::moves::cairn:index:Thing::thing-%d" % number, "custom": True, "id": "x",
                  "type": "cairn:index:Thing", "outputs": {"noise": random.Random(number).randbytes(80).hex()}}
                 for number in range(3000)]
        exported["deployment"]["resources"] += large
        answer = self.server.request("POST", "/api/stacks/main/moves/one/import", exported, timeout=60)
        self.assertEqual(answer.status, 200, answer)
        made = self.server.request("POST", "/api/user/tokens", {"description": "kept", "expires": 0}).json()
        self.token = made["tokenValue"]
        stack = self.stack("running")
        stack.create()
        self.update = first_update.Update(stack, stack.begin_update())
        root, provider, _ = first_update.resources(stack, "")
        self.update.journal(self.update.secrets_manager(stack.client.url), *self.update.creation(root))
        self.rest = self.update.creation(provider)

    def content(self):
        """What clients can read, as they get it."""
        get = self.server.get
        content = {"stacks": get("/api/user/stacks").json(), "user": get("/api/user", token=self.token).json(),
                   "tokens": [{**token, "lastUsed": 0} for token in get("/api/user/tokens").json()["tokens"]]}
        for name in STACKS:
            path = "/api/stacks/main/moves/" + name
            history = get(path + "/updates?output-type=service").json()
            content[name] = [get(path).json(), get(path + "/export").json(), history]
            for version in range(1, len(history["updates"]) + 1):
                content[name].append(get("%s/export/%d" % (path, version)).json())
            for update in history["updates"]:
                update_id = update.get("updateID") or update["info"]["updateID"]
                content[name].append(get("%s/update/%s/events" % (path, update_id)).body)
            self.assertEqual(self.stack(name).decrypt(self.secrets[name]), SECRET + name)
        self.assertEqual(content["user"]["githubLogin"], "admin")
        return content

    # What is done

    def cairn(self, code, words, *command, **variables):
        self.server.variables.update(variables)
        done = self.server.command(*command)
        for name in variables:
            self.server.variables.pop(name)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertIn(words, done.stdout + done.stderr)
        return done

    def move(self, engine, code=0, words="copied and compared", *options, **variables):
        return self.cairn(code, words, "move", "database", "--to", engine, *options, **{**self.mysql, **variables})

    def serve_on_mysql(self):
        self.server.variables.update(self.mysql)
        return self.server.start()

    def serve_on_sqlite(self):
        for name in self.mysql:
            self.server.variables.pop(name, None)
        return self.server.start()

    def assertRefused(self, words, **variables):
        self.cairn(69, words, "serve", **variables)

    # The tests

    def test_take_everything_there_and_back(self):
        self.start_and_fill()
        before = self.content()
        self.move("mysql", 69, "is in use by another server")
        self.assertEqual(self.server.stop(), 0)
        looked = self.move("mysql", 0, "  stacks: 3 rows", "--dry-run")
        self.assertRegex(looked.stdout, r"\d+ rows, [\d.]+ [kM]B; the largest has ")

        print(self.total(self.move("mysql")))

        where = "was moved to MySQL %s, database %s" % (self.mysql["PULUMI_DATABASE_ENDPOINT"], self.schema)
        self.assertRefused(where)
        self.cairn(69, where, "token")
        self.cairn(69, where, "keys", "rotate")
        self.cairn(69, where, "migrate", "up")
        self.cairn(69, "start one first", "token", **self.mysql)
        self.cairn(0, "is up to date", "migrate", "up", **self.mysql)
        self.cairn(0, "start one first", "check", **self.mysql)
        self.serve_on_mysql()
        self.assertEqual(self.content(), before)
        # The update that was running goes on with the same lease.
        self.update.stack.client.url = "http://127.0.0.1:%d" % self.server.port
        self.update.journal(*self.rest)
        self.update.complete()
        self.stack("new").create()
        after = self.content()

        self.move("sqlite", 69, "a server runs on MySQL")
        self.assertEqual(self.server.stop(), 0)
        self.move("sqlite", 69, "was moved to MySQL")
        data = os.path.join(self.folder, "server", "data")
        self.server.variables.update(CAIRN_DATA=os.path.join(self.folder, "back"),
                                     PULUMI_LOCAL_OBJECTS=os.path.join(data, "objects"),
                                     PULUMI_LOCAL_KEYS=os.path.join(data, "keys"))
        print(self.total(self.move("sqlite")))
        self.assertRefused("was moved to SQLite", **self.mysql)
        self.serve_on_sqlite()
        self.assertEqual(self.content(), after)
        self.assertEqual(self.server.get("/api/stacks/main/moves/running/export").status, 200)
        self.assertEqual(self.server.stop(), 0)

    def test_copy_beside_a_server_that_goes_on(self):
        """Both ways: what is acknowledged at any moment is there, and the end takes only what changed."""
        self.start_and_fill()
        for engine, kept in (("mysql", 1), ("sqlite", 2)):
            writers = [Writer(self.server, "%s-%d" % (engine, number)) for number in range(2)]
            first = self.move(engine, 0, "are left.", "--online")
            print(next(line for line in first.stdout.splitlines() if "are left" in line))
            self.assertRegex(first.stdout, r"\d+ rows, [\d.]+ [kM]B, with \d+ changes, copied and compared in")
            self.cairn(0, "is being copied to", "check", **self.source(engine))
            time.sleep(0.5)
            self.move(engine, 0, "are left.", "--online")
            for writer in writers:
                writer.stop()
            before = self.content()
            self.assertEqual(self.server.stop(), 0)
            self.cairn(69, "is being copied to", "migrate", "up", **self.source(engine))

            last = self.move(engine)

            print(self.total(last))
            self.assertIn("compared while served", last.stdout)
            self.assertNotRegex(last.stdout, "the same on both sides|DIFFERENT")
            if engine == "mysql":
                self.serve_on_mysql()
            else:
                self.serve_on_sqlite()
            self.assertEqual(self.content(), before)
            for writer in writers:
                writer.assertAllThere(self)
            if engine == "mysql":
                data = self.server.variables["CAIRN_DATA"]
                self.server.variables.update(CAIRN_DATA=os.path.join(self.folder, "back"),
                                             PULUMI_LOCAL_OBJECTS=os.path.join(data, "objects"),
                                             PULUMI_LOCAL_KEYS=os.path.join(data, "keys"))
        self.assertEqual(self.server.stop(), 0)

    def test_give_up_beside_a_server(self):
        self.start_and_fill()
        writer = Writer(self.server, "busy")
        self.move("mysql", 0, "are left.", "--online")
        self.move("mysql", 0, "can be served again", "--cancel")
        writer.stop()
        writer.assertAllThere(self)
        self.move("mysql", 69, "is not empty", "--online")
        self.assertEqual(self.server.stop(), 0)
        self.move("mysql", 69, "is not being moved", "--cancel")

    def test_go_on_after_a_kill_at_every_point(self):
        """Each point of a move there, and of giving one up: nobody else gets in, and the next run completes it."""
        self.start_and_fill()
        before = self.content()
        self.assertEqual(self.server.stop(), 0)
        if self.run_armed("check", point="move.compared").returncode == 78:
            self.skipTest("a release build has no points")
        kept = self.server.variables["CAIRN_DATA"] + ".kept"
        shutil.copytree(self.server.variables["CAIRN_DATA"], kept)
        died = set()
        # Where they are reached does not depend on the kind of server; what one of them does there may.
        for point in sorted(ONLINE | {LIFT} if self.goes_through_all() else {"move.changes.written"}):
            self.renew(kept)
            options = ("--online",) if point in ONLINE else ()
            if point not in ("move.trace.lay", "move.traces.laid"):
                if point != "move.table.checked":
                    self.move("mysql", 0, "are left.", "--online")
                    self.cairn(0, "pul-", "token")
            for nth in (1, 7) if point in ("move.trace.lay", "move.table.checked") else (1,):
                died |= self.kill(point, nth, "move", "database", "--to", "mysql", *options)
            self.cairn(0 if point in ONLINE else 69, "", "token")
            if options:
                self.move("mysql", 0, "are left.", "--online")
            self.move("mysql", 0, "Start the server with the settings for MySQL")
            self.assertServes(before, **self.mysql)
        for point in sorted(POINTS - BACK - ONLINE - {SERVED, LIFT} if self.goes_through_all() else SOME):
            self.renew(kept)
            for nth in (1, 2, 25) if point in OFTEN else (1,):
                died |= self.kill(point, nth, "move", "database", "--to", "mysql")
            self.move("mysql", 0, "Start the server with the settings for MySQL")
            self.assertRefused("was moved to MySQL")
            self.assertServes(before, **self.mysql)
        for point in sorted(BACK):
            self.renew(kept)
            self.move("mysql")
            died |= self.kill(point, 1, "move", "database", "--to", "mysql", "--cancel")
            self.move("mysql", 0, "can be served again", "--cancel")
            self.assertRefused("it has to be emptied", **self.mysql)
            self.assertServes(before)
        self.renew(kept)
        self.move("mysql")
        died |= self.kill(SERVED, 1, "serve")
        self.assertServes(before, **self.mysql)
        wanted = POINTS if self.goes_through_all() else SOME | BACK | {SERVED, "move.changes.written"}
        self.assertEqual(wanted - died, set())

    def test_go_on_after_a_kill_at_any_time_in_both_directions(self):
        self.start_and_fill()
        before = self.content()
        self.assertEqual(self.server.stop(), 0)
        kept = self.server.variables["CAIRN_DATA"] + ".kept"
        shutil.copytree(self.server.variables["CAIRN_DATA"], kept)
        choice = random.Random(self.schema)
        kills = 0
        for engine in ("mysql", "sqlite"):
            if engine == "sqlite":
                shutil.move(self.server.variables["CAIRN_DATA"], self.server.variables["CAIRN_DATA"] + ".before")
                self.server.variables.update(
                    PULUMI_LOCAL_OBJECTS=self.server.variables["CAIRN_DATA"] + ".before/objects",
                    PULUMI_LOCAL_KEYS=self.server.variables["CAIRN_DATA"] + ".before/keys")
            # From MySQL each begins with a look for heartbeats, which takes its time.
            for _ in range(12 if engine == "mysql" else 3 if os.environ.get("CAIRN_LONG") else 1):
                self.server.variables.update(self.mysql)
                process = subprocess.Popen([os.environ["CAIRN_BIN"], "move", "database", "--to", engine],
                                           env=self.server.environment(), stdout=subprocess.PIPE,
                                           stderr=subprocess.STDOUT, text=True)
                for _ in range(3 if engine == "sqlite" else 1):
                    process.stdout.readline()
                # A move takes half a second on a machine that does nothing else.
                time.sleep(choice.uniform(0, 0.25))
                process.kill()
                output = process.communicate()[0]
                for name in self.mysql:
                    self.server.variables.pop(name)
                kills += process.returncode == -9
                if "copied and compared" not in output:
                    self.assertNotBothServe()
                elif engine == "sqlite" or kills > 1:
                    break
                else:  # this process stood still too long to kill it
                    self.renew(kept)
            self.move(engine, 0, "Start the server with the settings for")
            self.assertServes(before, **(self.mysql if engine == "mysql" else {}))
        self.assertGreater(kills, 1)

    # Of these

    def source(self, engine):
        """The settings that a server has before a move to an engine."""
        return {} if engine == "mysql" else self.mysql

    def goes_through_all(self):
        return self.kind == "MARIADB" or bool(os.environ.get("CAIRN_LONG"))

    def total(self, done):
        return next(line for line in done.stdout.splitlines() if "copied and compared" in line)

    def start_and_fill(self):
        self.server.start()
        self.fill()

    def renew(self, kept):
        """The source as it was, and an empty target."""
        shutil.rmtree(self.server.variables["CAIRN_DATA"])
        shutil.copytree(kept, self.server.variables["CAIRN_DATA"])
        make_schema(self.url, self.schema)

    def run_armed(self, *command, point, nth=1):
        self.server.variables.update(self.mysql, CAIRN_FAILPOINT="%s:kill:%d" % (point, nth))
        done = self.server.command(*command)
        for name in [*self.mysql, "CAIRN_FAILPOINT"]:
            self.server.variables.pop(name)
        return done

    def kill(self, point, nth, *command):
        """Runs a command that should die at a point; the point in a set, or none where it was not reached."""
        done = self.run_armed(*command, point=point, nth=nth)
        if done.returncode != -9:
            return set()
        self.assertNotBothServe()
        return {point}

    def assertNotBothServe(self):
        """A target that is ready says so when a tool wants to change it; a source that is none takes the tool."""
        on_sqlite = self.server.command("token")
        self.server.variables.update(self.mysql)
        on_mysql = self.server.command("token")
        for name in self.mysql:
            self.server.variables.pop(name)
        served = [done.returncode == 0 or "start one first" in done.stderr for done in (on_sqlite, on_mysql)]
        self.assertNotEqual(served, [True, True], (on_sqlite, on_mysql))

    def assertServes(self, content, **variables):
        self.server.variables.update(variables)
        self.server.start()
        # Tools made tokens meanwhile.
        self.assertEqual({**self.content(), "tokens": None}, {**content, "tokens": None})
        self.assertEqual(self.server.stop(), 0)
        for name in variables:
            self.server.variables.pop(name)


class ToMariaDB(Moves, unittest.TestCase):
    kind = "MARIADB"


class ToMySQL(Moves, unittest.TestCase):
    kind = "MYSQL"


if __name__ == "__main__":
    unittest.main(verbosity=2)
