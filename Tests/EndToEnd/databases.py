"""A database server of a test's own, made by Scripts/services from the template of the shared ones."""
import os
import subprocess
import tempfile
import urllib.parse

from process import free_port, make_schema, mysql_settings


class DatabaseServer:
    """A MariaDB or MySQL that may be killed: `kind` is `mariadb` or `mysql`."""

    def __init__(self, kind, folder):
        self.folder, self.port = folder, free_port()
        shared = urllib.parse.urlsplit(os.environ["CAIRN_TEST_" + kind.upper()])
        self.url = urllib.parse.urlunsplit(shared._replace(netloc="%s:%d" % (shared.netloc.rpartition(":")[0], self.port)))
        self.run("start", kind, folder, str(self.port))

    def settings(self, schema):
        make_schema(self.url, schema)
        return mysql_settings(self.url, schema)

    def execute(self, sql):
        """Runs statements as the administrator of this server; the lines of the result."""
        parts = urllib.parse.urlsplit(self.url)
        done = subprocess.run(["mariadb", "--no-defaults", "--protocol=tcp", "--ssl", "--host=" + parts.hostname,
                               "--port=%d" % self.port, "--user=cairn_admin", "--skip-column-names", "--batch",
                               "--execute=" + sql],
                              env={**os.environ, "MYSQL_PWD": urllib.parse.unquote(parts.password or "")},
                              capture_output=True, text=True, timeout=30)
        if done.returncode:
            raise AssertionError("%s: %s" % (sql, done.stderr))
        return done.stdout.splitlines()

    def run(self, *words):
        script = os.path.join(os.environ["CAIRN_TEST_SERVICES"], "run-instance.sh")
        # Not a pipe: the database server inherits it and would keep it open.
        with tempfile.TemporaryFile() as output:
            done = subprocess.run([script, *words], stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=300)
            output.seek(0)
            if done.returncode:
                raise AssertionError("%s: %s" % (" ".join(words), output.read().decode("utf-8", "replace")))

    def kill(self):
        self.run("kill", self.folder)

    def stop(self):
        self.run("stop", self.folder)

    def resume(self):
        self.run("resume", self.folder)
