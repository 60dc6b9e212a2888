"""The database below a measured server: nothing for SQLite, else a server of its own with its data on disk."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
from pathlib import Path

import harness

# The servers of the tests have small buffers and small logs; these are what somebody would give a real one.
OPTIONS = {
    "mariadb": ["--innodb-buffer-pool-size=512M", "--innodb-log-file-size=512M"],
    "mysql": ["--innodb-buffer-pool-size=512M", "--innodb-redo-log-capacity=1G"],
}


@contextlib.contextmanager
def database(engine):
    """The settings of a server on this engine, and the database's process.

    `./dev bench` has started the services of the tests, which know how to make one.
    """
    if engine == "sqlite":
        yield {}, None
        return
    sys.path.insert(0, str(harness.HERE.parent / "Tests" / "EndToEnd"))
    from process import make_schema, mysql_settings

    shared = os.environ.get("CAIRN_TEST_" + engine.upper())
    if not shared:
        raise SystemExit(f"{engine} is not running; ./dev services start")
    script = os.path.join(os.environ["CAIRN_TEST_SERVICES"], "run-instance.sh")
    folder, port = Path(tempfile.mkdtemp(prefix="cairn-bench-")), harness.free_port()
    parts = urllib.parse.urlsplit(shared)
    url = urllib.parse.urlunsplit(parts._replace(netloc=f"{parts.netloc.rpartition(':')[0]}:{port}"))
    with open(folder / "output", "wb") as output:

        def instance(*words):
            subprocess.run([script, *words], stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=True)

        try:
            instance("start", engine, str(folder / "server"), str(port), *OPTIONS[engine])
            make_schema(url, "cairn_bench")
            yield mysql_settings(url, "cairn_bench"), int((folder / "server" / "pid").read_text())
        finally:
            instance("stop", str(folder / "server"))
            shutil.rmtree(folder, ignore_errors=True)
