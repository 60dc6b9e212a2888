"""A client that repeats requests as the real command line does: identical bytes, after 1, 2 and 4 seconds."""
import collections
import gzip
import http.client
import json
import threading
import time

from process import at_most


class Refused(Exception):
    """The server answered with a status that is not repeated."""

    def __init__(self, what, status, text):
        super().__init__("%s: %d %s" % (what, status, text[:300]))
        self.status, self.text = status, text


class GaveUp(Exception):
    """Every attempt failed: whether the server acted is unknown."""


class Client:
    """Safe for several threads: each has a connection of its own."""

    def __init__(self, ports, token, waits=(1, 2, 4)):
        self.ports, self.token, self.waits = ports, token, waits
        self.local = threading.local()
        self.lock = threading.Lock()
        self.retries = 0
        self.slowest = 0.0
        self.statuses = collections.Counter()

    @property
    def attempts(self):
        """How many attempts this thread's last `send` took."""
        return self.local.attempts

    def once(self, method, path, body=None, lease=None, compress=False, port=None):
        """One attempt: the status and the text of the answer. Raises OSError or HTTPException without one."""
        fields = {"Accept": "application/vnd.pulumi+9", "Content-Type": "application/json",
                  "Authorization": "update-token " + lease if lease else "token " + self.token}
        if isinstance(body, str):
            body = body.encode()
        if compress:
            body, fields["Content-Encoding"] = gzip.compress(body, 1), "gzip"
        connection = self.connection(port or self.ports[threading.get_ident() % len(self.ports)])
        began = time.monotonic()
        try:
            connection.request(method, path, body, fields)
            answer = connection.getresponse()
            with self.lock:
                self.slowest = max(self.slowest, time.monotonic() - began)
                self.statuses[answer.status] += 1
            # The command line heeds it with 429 only.
            pause = float(answer.headers.get("Retry-After", 0)) if answer.status == 429 else 0
            return answer.status, answer.read().decode(), pause
        except BaseException:
            connection.close()
            raise

    def connection(self, port):
        kept = self.local.__dict__.setdefault("connections", {})
        if port not in kept:
            kept[port] = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        return kept[port]

    def reconnect(self):
        """Forgets the connections of all threads: after a kill, the next request would only find them dead."""
        self.local = threading.local()

    def send(self, method, path, body=None, lease=None, compress=False, attempts=4):
        """Repeats as the command line does; the text of a 2xx answer."""
        what = "%s %s" % (method, path)
        for attempt in range(attempts):
            pause, self.local.attempts = 0, attempt + 1
            try:
                status, text, pause = self.once(method, path, body, lease, compress)
                if 200 <= status < 300:
                    return text
                if status < 500 and status != 429:
                    raise Refused(what, status, text)
                problem = "%d %s" % (status, text[:200])
            except (OSError, http.client.HTTPException) as error:
                problem = repr(error)
            if attempt + 1 < attempts:
                with self.lock:
                    self.retries += 1
                time.sleep(pause + self.waits[min(attempt, len(self.waits) - 1)])
        raise GaveUp("%s: %s" % (what, problem))

    def insist(self, method, path, body=None, seconds=60):
        """For what a person would repeat until it works: the status and text of the first answer below 500."""
        deadline = time.monotonic() + at_most(seconds)
        while True:
            try:
                status, text, _ = self.once(method, path, body)
                if status < 500 and status != 429:
                    return status, text
                problem = "%d %s" % (status, text[:200])
            except (OSError, http.client.HTTPException) as error:
                problem = repr(error)
            if time.monotonic() > deadline:
                raise GaveUp("%s %s: %s" % (method, path, problem))
            time.sleep(0.2)

    def json(self, path):
        """What is there; anything but 200 is a refusal."""
        status, text = self.insist("GET", path)
        if status != 200:
            raise Refused("GET " + path, status, text)
        return json.loads(text)
