"""The object store is away, silent, slow, refuses, breaks off or answers wrong bytes, for a second or more (R-26).

In the long forms some outages take up to a minute, longer than a server waits: then it says so in time.

A proxy before SeaweedFS decides. The signature of a request covers the name of the host, so the proxy hands that on as it
came. State is large, so that all of it goes into the bucket.
"""
import hashlib
import http.client
import http.server
import os
import sys
import threading
import time

import buckets
from process import at_most, until
from workload import Worker

HOW = ("refuses connections", "answers nothing", "leaves connections half open", "is slow", "asks to slow down",
       "breaks off", "gives wrong bytes", "loses answers", "fails")

# A server waits so long for its store before it refuses; it must not wait longer.
LONGEST_WAIT = 30
LONG_OUTAGE = (20, 60)
# How much more a server may hold after the outages than when it had just begun to work: a minute of this work without
# any outage takes 30 MB, which are kept.
MAY_GROW = {"threads": 8, "open files": 32, "MB of memory": 48}


class Proxy(http.server.ThreadingHTTPServer):
    daemon_threads, request_queue_size = True, 256
    # For how many seconds a request that is to get no answer is held.
    silence = 60

    def __init__(self, target):
        super().__init__(("127.0.0.1", 0), Handler)
        self.target, self.how, self.hits = target, None, 0
        self.recovered, self.half_open = threading.Event(), set()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def verify_request(self, request, address):
        if self.how == "refuses connections":
            self.hits += 1
            return False
        return True

    def handle_error(self, request, address):
        """A server that gave up waiting is what some outages are for; anything else is told with its traceback."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, address)

    def fate(self, command):
        """What becomes of a request: one of HOW, or nothing, to be handed on."""
        self.hits += self.how is not None
        return self.how

    def arm(self, how):
        self.hits = 0
        self.recovered.clear()
        self.how = how

    def disarm(self):
        self.how = None
        self.recovered.set()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version, timeout = "HTTP/1.1", 120

    def hand_on(self):
        how = self.server.fate(self.command)
        if how == "leaves connections half open":
            return self.fall_silent()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if how == "refuses connections":
            return self.hang_up()
        if how == "answers nothing":
            self.server.recovered.wait(self.server.silence)
            return self.hang_up()
        if how == "asks to slow down":
            return self.refuse(503, "SlowDown")
        if how == "fails":
            return self.refuse(500, "InternalError")
        if how == "is slow":
            time.sleep(0.5)
        connection = http.client.HTTPConnection(*self.server.target, timeout=60)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        if how == "loses answers":
            return self.hang_up()
        if how == "gives wrong bytes" and self.command == "GET" and text:
            place = hashlib.sha256(text[:64]).digest()[0] % len(text)
            text = text[:place] + bytes([text[place] ^ 1]) + text[place + 1:]
        self.reply(answer, text, len(text) // 2 if how == "breaks off" else None)

    def fall_silent(self):
        """Reads nothing during the outage and answers nothing after it: the server itself must give it up."""
        self.server.half_open.add(self)
        self.server.recovered.wait()
        try:
            while self.connection.recv(65536):
                pass
        except OSError:
            pass
        self.server.half_open.discard(self)
        self.hang_up()

    def reply(self, answer, text, kept):
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                self.send_header(name, value)
        length = answer.headers.get("Content-Length") if self.command == "HEAD" else str(len(text))
        self.send_header("Content-Length", length or "0")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text if kept is None else text[:kept])
        if kept is not None:
            self.hang_up()

    def refuse(self, status, code):
        text = ("<Error><Code>%s</Code><Message>for a test</Message></Error>" % code).encode()
        self.send_response_only(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def hang_up(self):
        self.close_connection = True

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = hand_on

    def log_message(self, *_):
        pass


class Large(Worker):
    """Half of the resources are large: their text does not fit into a row."""
    project, share_of_large, many, steps = "outage", 0.5, 8, (3, 10)


def run(run):
    proxy = Proxy(buckets.address())
    run.cleanups.append(proxy.shutdown)
    server = run.server(**buckets.settings("cairn-outage-%d" % time.time_ns(), proxy.server_address)).start()
    client = run.client(server.port)
    fleet = run.fleet(client, 4, worker=Large).start()
    run.await_progress()
    before = held(server)
    for cycle in run.rounds():
        how = HOW[cycle % len(HOW)]
        proxy.arm(how)
        run.fault(how)
        if cycle % 10:
            run.pause(0.5, 2)
        else:
            run.pause(*LONG_OUTAGE if run.cycles >= 50 else (2, 6))
        deadline = time.monotonic() + at_most(LONGEST_WAIT)
        while not proxy.hits and not run.ledger.violations:
            if time.monotonic() > deadline:
                run.violation("workload", "nobody asked the store while it %s" % how)
            time.sleep(0.01)
        proxy.disarm()
        run.await_progress(LONGEST_WAIT)
        # Otherwise a request could meet two outages, and nobody could say how long it may take.
        until(lambda: not proxy.half_open, LONGEST_WAIT, "every half-open connection is given up")
    fleet.finish(run)
    run.say("slowest answer %.1f s" % client.slowest)
    if client.slowest > at_most(LONGEST_WAIT):
        run.violation("server", "an answer took %.1f s" % client.slowest)
    after = held(server)
    run.say("held before and after: %s, %s" % (before, after))
    for what, most in MAY_GROW.items():
        if after[what] - before[what] > most:
            run.violation("server", "it holds %d %s, and %d before the outages" % (after[what], what, before[what]))
    run.stop(server)


def held(server):
    """What the process holds of MAY_GROW."""
    process = "/proc/%d/" % server.process.pid
    with open(process + "status", encoding="ascii") as status:
        memory = next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))
    return {"threads": len(os.listdir(process + "task")), "open files": len(os.listdir(process + "fd")),
            "MB of memory": memory // 1024}
