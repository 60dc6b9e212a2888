"""Two servers on one database, with one folder of objects and one key."""
import os


def master_key(run):
    """The path of a new master key."""
    path = os.path.join(run.folder, "master.key")
    with open(path, "wb") as key:
        os.chmod(path, 0o600)
        key.write(os.urandom(32))
    return path


def pair(run, engine, **variables):
    """Both are started at once: one of them migrates and installs."""
    shared = {**run.database(engine).settings("cairn_pair"), "PULUMI_LOCAL_KEYS": master_key(run),
              "PULUMI_LOCAL_OBJECTS": os.path.join(run.folder, "objects"), **variables}
    servers = [run.server(name, **shared) for name in ("one", "two")]
    for server in servers:
        server.start(ready=False)
    for server in servers:
        server.wait_until_ready()
    return servers
