"""Cairn itself, started for the run on SQLite or on a database server of its own."""

import harness
import state_databases
from adapters import Adapter


class Cairn(Adapter):
    """Starts servers and ends them; with an engine other than SQLite several may share one database."""

    name = "cairn"

    def __init__(self, binary, engine="sqlite", settings=(), replicas=1):
        super().__init__([], harness.TOKEN, "main")
        self.binary, self.engine, self.settings, self.replicas = binary, engine, list(settings), replicas
        self.servers = []

    def __enter__(self):
        self._database = state_databases.database(self.engine)
        found, self.database = self._database.__enter__()
        for number in range(self.replicas):
            own = dict(self.servers[0].shared) if number else {}
            server = harness.start_cairn(self.binary, [*found.items(), *self.settings, *own.items()])
            server.shared = {"PULUMI_LOCAL_OBJECTS": str(server.folder / "objects"),
                             "PULUMI_LOCAL_KEYS": str(server.folder / "keys")}
            self.servers.append(server)
        self.addresses = [f"127.0.0.1:{server.port}" for server in self.servers]
        self.folder = self.servers[0].folder
        self.refresh_processes()
        return self

    def refresh_processes(self):
        """A server that was started again is another process."""
        self.processes = [server.child.pid for server in self.servers] + ([self.database] if self.database else [])

    def __exit__(self, *error):
        for server in reversed(self.servers):
            server.stop()
        return self._database.__exit__(*error)


ADAPTER = Cairn
