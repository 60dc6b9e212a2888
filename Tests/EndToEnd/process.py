"""The server as a process: started, asked, stopped and killed by tests. Standard library only.

CAIRN_BIN names the executable. A server sees no other CAIRN_… variable than those it is started with.
"""
import http.client
import json
import os
import random
import signal
import socket
import ssl
import subprocess
import time
import urllib.parse

TOKEN = "pul-e2e0000000000000000000000000000000000000"


def free_port():
    """Not one of those that the system gives to clients: one that a server had is still free when it starts again."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def at_most(seconds):
    """What a test may take that promises so many seconds: the machine of CI, which others use as well, may stand still."""
    return seconds * (4 if os.environ.get("CI") else 1)


def until(condition, seconds, what):
    """Asks again and again until the condition gives something true; returns that."""
    deadline = time.monotonic() + at_most(seconds)
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError("not within %g s: %s" % (at_most(seconds), what))
        time.sleep(0.02)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return "%d %s" % (self.status, self.body[:300].decode("utf-8", "replace"))


class Server:
    """One server with a folder of its own; it may be started on it again."""

    def __init__(self, folder, **variables):
        self.folder = folder
        self.port = free_port()
        self.tls = None
        self.variables = {"CAIRN_DATA": os.path.join(folder, "data"), "PORT": str(self.port),
                          "CAIRN_ADMIN_TOKEN": TOKEN, **variables}
        self.process = None
        self.log = os.path.join(folder, "log")
        os.makedirs(folder, exist_ok=True)

    def environment(self):
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CAIRN_")}
        return {**inherited, **{name: value for name, value in self.variables.items() if value is not None}}

    def command(self, *words, **options):
        """Runs `cairn WORDS` to its end."""
        return subprocess.run([os.environ["CAIRN_BIN"], *words], env=self.environment(), capture_output=True,
                              text=True, timeout=at_most(120), **options)

    def start(self, ready=True, **options):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([os.environ["CAIRN_BIN"], "serve"], env=self.environment(), stdout=log,
                                            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, **options)
        if ready:
            self.wait_until_ready()
        return self

    def wait_until_ready(self, seconds=120):
        def is_ready():
            if self.process.poll() is not None:
                raise AssertionError("ended with %s: %s" % (self.process.returncode, self.output()[-2000:]))
            return self.status("/readyz") == 200
        until(is_ready, seconds, "ready; log: " + self.log)

    def status(self, path):
        """The status of a GET, or nothing when nobody listens."""
        try:
            return self.get(path, timeout=5).status
        except (OSError, http.client.HTTPException):
            return None

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def request(self, method, path, body=None, token=TOKEN, headers=(), timeout=30):
        if self.tls:
            connection = http.client.HTTPSConnection("localhost", self.port, timeout=timeout, context=self.tls)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            fields = {"Accept": "application/vnd.pulumi+9", **dict(headers)}
            if token:
                fields["Authorization"] = "token " + token
            if isinstance(body, (dict, list)):
                body = json.dumps(body).encode()
                fields["Content-Type"] = "application/json"
            try:
                connection.request(method, path, body, fields)
            except (BrokenPipeError, ConnectionResetError):
                pass  # A server that refuses a body early may close while it is on its way: the answer is there.
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def trust(self, authority):
        """From now on speak TLS, believing in this authority."""
        self.tls = ssl.create_default_context(cafile=authority)

    def output(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()

    def ended(self, seconds=45):
        """Waits until the process ends; returns its exit status."""
        return self.process.wait(at_most(seconds))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.ended()

    def kill(self):
        process = self.process  # somebody else may start the next one meanwhile
        if process and process.poll() is None:
            process.kill()
            process.wait()

    def pause(self):
        """Stops every thread where it is; those in a call of the system are waited for."""
        self.process.send_signal(signal.SIGSTOP)
        until(lambda: all(state == "T" for state in self.thread_states()), 10, "stopped")

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def thread_states(self):
        folder = "/proc/%d/task" % self.process.pid
        for thread in os.listdir(folder):
            with open("%s/%s/stat" % (folder, thread), encoding="utf-8") as stat:
                yield stat.read().rpartition(")")[2].split()[0]


def mysql_settings(url, schema):
    """The server's settings for a schema on a server of the tests, from `CAIRN_TEST_MYSQL` or `CAIRN_TEST_MARIADB`."""
    parts = urllib.parse.urlsplit(url)
    authority = urllib.parse.parse_qs(parts.query)["ca"][0]
    with open(authority, encoding="ascii") as file:
        certificates = file.read()
    return {"PULUMI_DATABASE_ENDPOINT": "%s:%d" % (parts.hostname, parts.port),
            "PULUMI_DATABASE_NAME": schema,
            "PULUMI_DATABASE_USER_NAME": urllib.parse.unquote(parts.username),
            "PULUMI_DATABASE_USER_PASSWORD": urllib.parse.unquote(parts.password or ""),
            "DATABASE_CA_CERTIFICATE": certificates, "DATABASE_MIN_TLS_VERSION": "1.2"}


def make_schema(url, schema):
    """Makes an empty schema with the client program of MariaDB."""
    parts = urllib.parse.urlsplit(url)
    subprocess.run(["mariadb", "--no-defaults", "--protocol=tcp", "--ssl", "--host=" + parts.hostname,
                    "--port=%d" % parts.port, "--user=" + urllib.parse.unquote(parts.username),
                    "--execute=DROP DATABASE IF EXISTS %s; CREATE DATABASE %s CHARACTER SET utf8mb4" % (schema, schema)],
                   env={**os.environ, "MYSQL_PWD": urllib.parse.unquote(parts.password or "")}, check=True)
