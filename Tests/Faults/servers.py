"""Two servers on one database, with one folder of objects and one key."""
import os


def pair(run, engine, **variables):
    """Both are started at once: one of them migrates and installs."""
    shared = {**run.database(engine).settings("cairn_pair"), "PULUMI_LOCAL_OBJECTS": os.path.join(run.folder, "objects"),
              "PULUMI_LOCAL_KEYS": os.path.join(run.folder, "master.key"), **variables}
    with open(shared["PULUMI_LOCAL_KEYS"], "wb") as key:
        os.chmod(key.name, 0o600)
        key.write(os.urandom(32))
    servers = [run.server(name, **shared) for name in ("one", "two")]
    for server in servers:
        server.start(ready=False)
    for server in servers:
        server.wait_until_ready()
    return servers
