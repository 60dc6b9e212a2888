"""Prepared requests: bodies in memory, plans for sender.c, and the requests around a measurement."""

import concurrent.futures
import json
import os
import subprocess
import tempfile
import time
import zlib
from pathlib import Path

import harness

ACCEPT = "application/vnd.pulumi+9"
USER_AGENT = "pulumi-cli/1 (v3.274.1; linux)"


def folder_in_memory():
    parent = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    return tempfile.TemporaryDirectory(prefix="cairn-bench-", dir=parent)


def gzipped(data):
    """One gzip member as the Go library makes it at its standard level."""
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()


class Bodies:
    """A file of bodies, filled by one worker and mapped by the sender."""

    def __init__(self, path, compress=True):
        self.path, self.compress = str(path), compress
        self.spans, self.plain_sizes = [], []
        self.notes = {}
        self._end = 0
        open(self.path, "wb").close()

    def add(self, data):
        """Appends one body; several calls may follow, from one process."""
        data = data.encode() if isinstance(data, str) else data
        packed = gzipped(data) if self.compress else data
        with open(self.path, "ab") as file:
            file.write(packed)
        self.spans.append((self._end, len(packed)))
        self.plain_sizes.append(len(data))
        self._end += len(packed)

    def read(self, index):
        """One body as it is sent."""
        with open(self.path, "rb") as file:
            file.seek(self.spans[index][0])
            return file.read(self.spans[index][1])


def prepare(tasks):
    """Runs (function, arguments…) in a process per core; the results in the order of the tasks."""
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
        return [future.result() for future in [pool.submit(*task) for task in tasks]]


class Plan:
    """What each connection sends. Requests of one label are measured together."""

    def __init__(self):
        self.files, self.connections = {}, []

    def connection(self):
        self.connections.append([])

    def request(self, label, method, path, token, bodies=None, index=0, status=2, repeat=1, gzip_answer=False):
        """Adds a request to the connection that was opened last; `status` 2 means any 2xx."""
        length = bodies.spans[index][1] if bodies else 0
        lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: {token}", f"Accept: {ACCEPT}",
                 f"User-Agent: {USER_AGENT}", f"Content-Length: {length}"]
        if bodies:
            lines.append("Content-Type: application/json")
            lines += ["Content-Encoding: gzip"] if bodies.compress else []
        lines += ["Accept-Encoding: gzip"] if gzip_answer else []
        head = "\r\n".join([*lines, "", ""])
        file = self.files.setdefault(bodies.path, len(self.files)) if bodies else -1
        offset = bodies.spans[index][0] if bodies else 0
        self.connections[-1].append(f"R {label} {status} {repeat} {file} {offset} {length} {len(head)}\n{head}")

    def text(self):
        files = [f"F {path}\n" for path in self.files]
        return "".join(files + ["C\n" + "\n".join(requests) + "\n" for requests in self.connections])


class Sender:
    """sender.c, compiled here and now."""

    def __init__(self, folder):
        self.folder, self.program = Path(folder), Path(folder) / "sender"
        command = ["gcc", "-std=gnu17", "-O2", "-Wall", "-Werror", "-o", self.program]
        command += [harness.HERE / "sender.c", harness.HERE / "sender_plan.c"]
        subprocess.run(command, check=True)

    def send(self, port, plan, seconds=240, any_answer=False):
        path = self.folder / "plan"
        path.write_text(plan.text())
        words = [str(self.program), str(port), str(path), str(seconds), *(["any"] if any_answer else [])]
        done = subprocess.run(words, capture_output=True, text=True)
        if done.returncode:
            raise harness.NoFigure(" ".join(done.stderr.split())[:300] or f"the sender ended with {done.returncode}")
        return json.loads(done.stdout)


class Client:
    """Requests that are not measured: they make what is, and look at the result."""

    def __init__(self, port):
        self.port = port

    def send(self, method, path, body=None, token=f"token {harness.TOKEN}", headers=(), accept_gzip=False):
        """The body of a 2xx answer. A dictionary is sent as JSON; bytes as they are."""
        fields = {"Authorization": token, "Accept": ACCEPT, "Content-Type": "application/json", **dict(headers)}
        if accept_gzip:
            fields["Accept-Encoding"] = "gzip"
        return harness.request(f"127.0.0.1:{self.port}", method, path, body, fields)

    def ask(self, *arguments, **options):
        return json.loads(self.send(*arguments, **options) or b"null")

    def create(self, stack):
        """A new stack; one of the same name is removed with all it has."""
        project = stack.path.rpartition("/")[0]
        try:
            self.send("DELETE", stack.path + "?force=true")
        except harness.NoFigure as error:
            if " 404 " not in str(error):
                raise
        self.send("POST", project, {"stackName": stack.name})

    def begin(self, stack, journal=True):
        """Creates and starts an update: its path and the value of its requests' Authorization."""
        options = {"color": "raw", "dryRun": False, "parallel": 16}
        program = {"name": "bench", "runtime": "yaml", "main": "", "description": "", "config": {}, "options": options,
                   "metadata": {"message": "bench", "environment": {"exec.kind": "cli", "pulumi.version": "v3.274.1"}}}
        path = f"{stack.path}/update/" + self.ask("POST", stack.path + "/update", program)["updateID"]
        started = self.ask("POST", path, {"tags": {}, "journalVersion": 2} if journal else {"tags": {}})
        if journal and started.get("journalVersion") not in (1, 2):
            raise harness.NoFigure("the server did not offer to journal")
        return path, "update-token " + started["token"]

    def complete(self, update):
        path, token = update
        self.send("POST", path + "/complete", {"status": "succeeded"}, token)

    def import_state(self, stack, bodies, index=0):
        headers = [("Content-Encoding", "gzip")] if bodies.compress else []
        done = self.ask("POST", stack.path + "/import", bodies.read(index), headers=headers)
        path, deadline = f"{stack.path}/update/{done['updateId']}", time.monotonic() + 120
        status = self.ask("GET", path)
        while status.get("continuationToken") and time.monotonic() < deadline:
            status = self.ask("GET", path)
        if status["status"] != "succeeded":
            raise harness.NoFigure(f"import: {status['status']}")

    def export(self, stack):
        return self.send("GET", stack.path + "/export", accept_gzip=True)


def check_resources(exported, texts, what):
    """Compares the resources of an exported state with their texts; equal values in other bytes are right as well."""
    wanted = ('"resources":[' + ",".join(texts) + "]").encode()
    if wanted in exported:
        return
    found = json.loads(exported)["deployment"].get("resources", [])
    if len(found) != len(texts):
        raise harness.NoFigure(f"{what}: {len(found)} resources instead of {len(texts)}")
    for number, (resource, text) in enumerate(zip(found, texts)):
        if resource != json.loads(text):
            raise harness.NoFigure(f"{what}: resource {number} is another one")


def check_text(exported, wanted, what):
    """Compares a whole exported state with what was saved."""
    wanted = wanted.encode() if isinstance(wanted, str) else wanted
    if exported != wanted and json.loads(exported) != json.loads(wanted):
        raise harness.NoFigure(f"{what}: the state is not what was saved")
