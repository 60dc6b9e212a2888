"""The first start is killed beside the nth step of its migrations and of the installation (R-31).

The next start completes it without help, and the schema is the one of a start that nothing happened to. Where servers
may share a database, two of them make the next start together now and then.
"""
import os
import shutil
import sqlite3

from proxies import StepProxy
from servers import master_key
from shims import FaultyIO

# What makes up the schema of a database on MySQL; names of tables stand in each row.
SCHEMA = """
SELECT table_name, ordinal_position, column_name, column_type, is_nullable, collation_name
FROM information_schema.columns WHERE table_schema = '{0}' ORDER BY 1, 2;
SELECT table_name, index_name, seq_in_index, column_name, non_unique
FROM information_schema.statistics WHERE table_schema = '{0}' ORDER BY 1, 2, 3;
SELECT table_name, constraint_name, constraint_type
FROM information_schema.table_constraints WHERE table_schema = '{0}' ORDER BY 1, 2;
"""


def run(run, engine):
    steps = OnSQLite(run) if engine == "sqlite" else OnMySQL(run, engine)
    wanted, count = steps.undisturbed()
    run.say("%d steps" % count)
    step = max(1, count / run.cycles)
    for number in run.rounds():
        at = 1 + int(number * step + run.choice.random() * step) % count
        run.fault("kill", step=at)
        server = steps.killed_at(at)
        if server.process.wait(30) == 0:
            run.violation("step %d" % at, "the killed start ended with status 0")
        if steps.complete(server) != wanted:
            run.violation("step %d" % at, "the schema differs from that of an undisturbed start")
        answer = server.get("/api/user")
        if answer.status != 200:
            run.violation("step %d" % at, "after the second start: %r" % answer)
        run.stop(server)
        shutil.rmtree(server.folder)


class OnSQLite:
    def __init__(self, run):
        self.run, self.shim, self.number = run, FaultyIO(run), 0

    def server(self):
        self.number += 1
        return self.run.server("server%d" % self.number, **self.shim.variables)

    def undisturbed(self):
        self.shim.arm(0)
        server = self.server().start()
        count = self.shim.calls
        self.run.stop(server)
        return self.schema(server), count

    def killed_at(self, step):
        self.shim.arm(step, self.run.choice.choice((self.shim.KILL_BEFORE, self.shim.KILL_AFTER)))
        server = self.server().start(ready=False)
        # The last steps are no longer the start's.
        if not self.ends(server):
            server.kill()
        return server

    @staticmethod
    def ends(server):
        try:
            server.wait_until_ready()
        except AssertionError:
            return True
        return False

    def complete(self, server):
        self.shim.disarm()
        server.start()
        return self.schema(server)

    @staticmethod
    def schema(server):
        database = sqlite3.connect(os.path.join(server.variables["CAIRN_DATA"], "cairn.db"))
        try:
            return database.execute("SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2").fetchall()
        finally:
            database.close()


class OnMySQL:
    def __init__(self, run, engine):
        self.run, self.database, self.number, self.key = run, run.database(engine), 0, master_key(run)

    def server(self):
        self.number += 1
        settings = self.database.settings(self.name())
        for name in ("DATABASE_CA_CERTIFICATE", "DATABASE_MIN_TLS_VERSION"):
            del settings[name]
        return self.run.server("server%d" % self.number, PULUMI_LOCAL_KEYS=self.key, **settings)

    def name(self):
        return "cairn_step%d" % self.number

    def through(self, server, step, how):
        """Starts it with a proxy before the database that kills it at the step."""
        endpoint = server.variables["PULUMI_DATABASE_ENDPOINT"]
        proxy = StepProxy(self.database.port, step, how, server.kill)
        server.variables["PULUMI_DATABASE_ENDPOINT"] = "127.0.0.1:%d" % proxy.port
        server.start(ready=False)
        ended = OnSQLite.ends(server)
        server.variables["PULUMI_DATABASE_ENDPOINT"] = endpoint
        return proxy, ended

    def undisturbed(self):
        server = self.server()
        proxy, _ = self.through(server, -1, None)
        count = proxy.commands
        self.run.stop(server)
        proxy.shutdown()
        return self.schema(), count

    def killed_at(self, step):
        server = self.server()
        proxy, ended = self.through(server, step, self.run.choice.choice(StepProxy.HOW))
        if not ended:
            server.kill()
        proxy.shutdown()
        proxy.server_close()
        return server

    def complete(self, server):
        helper = None
        if self.run.choice.random() < 0.4:
            shared = {name: value for name, value in server.variables.items() if name not in ("CAIRN_DATA", "PORT")}
            helper = self.run.server("helper%d" % self.number, **shared)
        server.start(ready=False)
        if helper:
            helper.start(ready=False)
            helper.wait_until_ready()
            self.run.stop(helper)
        server.wait_until_ready()
        schema = self.schema()
        return schema

    def schema(self):
        return self.database.execute(SCHEMA.format(self.name()))
