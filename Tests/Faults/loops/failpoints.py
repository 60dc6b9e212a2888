"""Every named point beside a durable step: there the process dies, the step fails, or time passes (R-05, R-14, R-15).

First each act is played undisturbed, which tells what it comes past; a point that none reaches is a violation. Then for
each point and each action an act that reaches it is played with that point armed, and compared. Points of a start are
armed before the first start of a server, which the second one must complete.
"""
import os
import queue
import random
import re
import shutil
import threading
import time

import buckets
from acts import Acts, MySQLRows, SQLiteRows
from failpoints import Failpoints
from loop import Supervisor
from loops.migration import SCHEMA, OnSQLite
from model import State

# What does not concern a server of this kind: the engine, or SQLite with its objects in S3.
OTHERS = {"sqlite": ("mysql.", "bucket."), "mariadb": ("sqlite.", "bucket."), "mysql": ("sqlite.", "bucket."),
          # Nobody can make an object of S3 old enough to be swept.
          "s3": ("mysql.", "object.", "sweep.")}
# Copies of the audit log are tried by EndToEnd/audit.py, where a table is, moves of databases by EndToEnd/move.py.
OTHERS = {engine: names + ("audit.copy.", "move.") for engine, names in OTHERS.items()}
# What time brings about on a server that runs; a start, or a stop, comes past it for certain.
BY_TIME = ("heartbeat.", "sqlite.checkpoint")
# What only a stop comes past; any other server is killed, which is over at once.
BY_STOP = "sqlite.checkpoint"
DELAY = 400
# So many servers at once, since most of the time goes by waiting for one.
LIVES, STARTS = 4, 2
# For looking into a finding: only points whose name has this.
ONLY = os.environ.get("FAILPOINTS_ONLY", "")


def run(run, engine):
    Enumeration(run, engine).play()


class Enumeration:
    def __init__(self, run, engine):
        self.run, self.engine, self.lock = run, engine, threading.Lock()
        self.database = None if engine in ("sqlite", "s3") else run.database(engine)
        self.covered, self.number = set(), 0

    def variables(self, name):
        """Settings of a server with an empty database, or bucket, of its own."""
        if self.engine == "s3":
            return buckets.settings("%s-%d" % (name.replace("_", "-"), time.time_ns()))
        return self.database.settings(name) if self.database else {}

    def play(self):
        lives, starts = [Online(self, number) for number in range(LIVES)], [Starts(self, 0)]
        starts += [Starts(self, number, starts[0]) for number in range(1, STARTS)]
        names, census = lives[0].points.names, lives[0].take_census()
        census = {name: acts for name, acts in census.items() if not name.startswith(BY_TIME)}
        for life in lives:
            life.census = census
        reached = {name: census.get(name, []) + starts[0].census.get(name, []) for name in names}
        wanted = [name for name in names if not name.startswith(OTHERS[self.engine]) and ONLY in name]
        for name in wanted:
            if not reached[name]:
                self.run.violation(name, "no act comes past it")
        combinations = [(name, action) for action in ("kill", "error") for name in wanted if reached[name]]
        random.Random(self.run.seed).shuffle(combinations)
        combinations += [(name, "delay") for name in wanted if reached[name]]
        # At least each point with both actions, whatever the number of cycles.
        count = max(self.run.cycles, combinations.index(next(c for c in combinations if c[1] == "delay")))
        items = [combinations[number % len(combinations)] + (number,) for number in range(count)]
        online, offline = queue.SimpleQueue(), queue.SimpleQueue()
        for item in items:
            (online if item[0] in census else offline).put(item)
        threads = [threading.Thread(target=self.work, args=pair, daemon=True)
                   for pair in [(life, online) for life in lives] + [(life, offline) for life in starts]]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for life in lives:
            life.finish()
        self.run.say("%d points, %d combinations; %s" % (len(wanted), len(self.covered), dict(self.run.ledger.counts)))
        missing = {item[:2] for item in items} - self.covered
        if missing and not self.run.ledger.violations:
            self.run.violation("control", "not played: %s" % sorted(missing)[:10])

    def work(self, life, items):
        try:
            while not items.empty() and not self.run.ledger.violations:
                name, action, number = items.get_nowait()
                life.point(name, action, random.Random("%s/%s/%s/%d" % (self.run.seed, name, action, number)))
                with self.lock:
                    self.covered.add((name, action))
                    self.run.did(1)
        except queue.Empty:
            pass  # another one took the last
        except Exception as error:  # whatever it is, the run has failed and must say so
            self.run.violation(life.where, "%s: %s" % (type(error).__name__, error))

    def tell(self, life, name, action, act, nth):
        life.where = "%s %s at pass %d of %s" % (action, name, nth, act)
        self.run.fault(action, point=name, act=act, nth=nth)


class Online:
    """One server that is started again whenever it dies, and the acts on it."""

    def __init__(self, enumeration, number):
        self.enumeration, self.run, self.where = enumeration, enumeration.run, "census"
        self.points = Failpoints(os.path.join(self.run.folder, "points%d" % number))
        schema = "cairn_points%d" % number
        variables = {**enumeration.variables(schema), **self.points.variables}
        self.server = self.run.server("server%d" % number, **variables).start()
        self.slots = {name: slot for slot, name in enumerate(self.points.names)}
        self.supervisor = Supervisor(self.server, self.run)
        data = self.server.variables["CAIRN_DATA"]
        rows = (MySQLRows(enumeration.database, schema) if enumeration.database
                else SQLiteRows(os.path.join(data, "cairn.db")))
        self.client = self.run.client(self.server.port, waits=(0.1, 0.5, 2))
        objects = None if enumeration.engine == "s3" else os.path.join(data, "objects")
        self.acts = Acts(self.client, self.run.ledger, self.run.seed, rows, objects, self.points,
                         lambda: self.supervisor.starts, number)
        self.acts.create()
        self.census = {}

    def take_census(self):
        """For each point the acts that come past it, quick ones first, and how often they do."""
        census, times = {}, {}
        for act, play in self.acts.all().items():
            self.points.forget()
            began = time.monotonic()
            play()
            times[act] = time.monotonic() - began
            for name, count in self.points.counts().items():
                if count:
                    census.setdefault(name, []).append((act, count))
        for acts in census.values():
            acts.sort(key=lambda act: times[act[0]])
        self.run.say("acts: %s" % {act: round(seconds, 2) for act, seconds in times.items()})
        return census

    def point(self, name, action, choice):
        acts = self.census[name]
        # A quick one, but not always the same one. What updates save is different each time; the slow ones are sure.
        act, count = choice.choice(acts[:3])
        plans = [(act, choice.randint(1, count))] + [(act, 1) for act, _ in reversed(acts)]
        for act, nth in plans:
            self.enumeration.tell(self, name, action, act, nth)
            starts = self.supervisor.starts
            self.points.arm(self.slots[name], action, nth, DELAY)
            self.acts.all()[act]()
            self.points.disarm()
            if self.points.hits:
                break
            self.run.ledger.count("passes that did not come")
        else:
            self.run.violation(self.where, "it was not passed again")
        self.run.ledger.count(action)
        self.acts.unlock()
        self.acts.check_state_now(self.where)
        if action != "kill" and self.supervisor.starts != starts:
            self.run.violation(self.where, "the server ended")

    def finish(self):
        self.points.disarm()
        if not self.run.ledger.violations:
            self.acts.check_history()
        self.acts.senders.shutdown()
        self.run.summary(self.client)
        self.supervisor.finish()
        self.run.stop(self.server)


class Starts:
    """First starts of servers, on nothing and on what one has left behind that died early; and their first stop."""

    def __init__(self, enumeration, number, other=None):
        self.enumeration, self.run, self.where = enumeration, enumeration.run, "first start"
        self.name, self.servers = "start%d" % number, 0
        self.census, self.schema, self.slots = (
            (other.census, other.schema, other.slots) if other else self.take_census())

    def take_census(self):
        """For each point the kinds of starts that come past it, and how often; the schema; the places of points."""
        census = {}
        for act in ("on nothing", "on remains"):
            server, points = self.server(act)
            server.start()
            self.life(server, points, [], stops=True)
            schema, slots = self.schema_of(server), {name: slot for slot, name in enumerate(points.names)}
            for name, count in points.counts().items():
                if count:
                    census.setdefault(name, []).append((act, count))
            self.remove(server)
        return census, schema, slots

    def server(self, act):
        self.servers += 1
        name = "%s_%d" % (self.name, self.servers)
        points = Failpoints(os.path.join(self.run.folder, name + ".points"))
        server = self.run.server(name, **self.enumeration.variables("cairn_" + name), **points.variables)
        if act == "on remains":
            temporary = os.path.join(server.variables["CAIRN_DATA"], "objects", "temporary")
            os.makedirs(temporary)
            with open(os.path.join(temporary, "left"), "wb") as file:
                file.write(b"half")
            os.utime(file.name, (1, 1))
        return server, points

    def life(self, server, points, kept, stops):
        """The life of a server that is ready: it has what was kept, gets a stack with a state, and ends well or not."""
        acts = Acts(self.run.client(server.port, waits=(0.1, 0.5)), self.run.ledger, self.run.seed, None, "", points,
                    lambda: 0, number=self.servers)
        acts.stacks = len(kept)
        for path, state in kept:
            acts.expect(path, state, "after the first stop")
        state = State([acts.resource()])
        kept.append((acts.new_stack(state=state), state))
        acts.senders.shutdown()
        if stops and server.stop() != 0:
            self.run.violation(self.where, "it ended with status %s" % server.process.returncode)
        server.kill()

    def point(self, name, action, choice):
        act, count = choice.choice(self.census[name])
        for nth in (choice.randint(1, count), 1, 1):
            server, points = self.server(act)
            self.enumeration.tell(self, name, action, "a start " + act, nth)
            points.arm(self.slots[name], action, nth, DELAY)
            kept = self.first(server, points, action, stops=name.startswith(BY_STOP))
            if points.hits:
                break
            self.run.ledger.count("passes that did not come")
            self.remove(server)
        else:
            return self.run.violation(self.where, "it was not passed again")
        points.disarm()
        server.start()
        if self.schema_of(server) != self.schema:
            self.run.violation(self.where, "the schema differs from that of an undisturbed start")
        if server.get("/api/user").status != 200:
            self.run.violation(self.where, "the administrator is not known")
        self.life(server, points, kept, stops=name.startswith(BY_STOP))
        self.run.ledger.count("%s at a start" % action)
        self.remove(server)

    def first(self, server, points, action, stops):
        """The start with something armed; the stacks that it has confirmed."""
        kept = []
        server.start(ready=False)
        try:
            server.wait_until_ready()
            if action == "kill" and stops:
                server.process.terminate()
                server.ended(30)
            else:
                self.life(server, points, kept, stops)
        except (AssertionError, OSError) as error:  # it has ended, which is looked at below
            if not points.hits:
                self.run.violation(self.where, str(error)[-500:])
        if not points.hits:
            return kept
        if action == "kill" and server.ended(30) != -9:
            self.run.violation(self.where, "it should have died, but ended with status %s" % server.process.returncode)
        if action == "error" and server.process.poll() not in (None, -9) and server.process.returncode < 0:
            self.run.violation(self.where, "ended by signal %d" % -server.process.returncode)
        return kept

    def schema_of(self, server):
        if not self.enumeration.database:
            return OnSQLite.schema(server)
        name = server.variables["PULUMI_DATABASE_NAME"]
        return [re.sub(name, "", line) for line in self.enumeration.database.execute(SCHEMA.format(name))]

    def remove(self, server):
        server.kill()
        shutil.rmtree(server.folder)
