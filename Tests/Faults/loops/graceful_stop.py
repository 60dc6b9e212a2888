"""SIGTERM under load: every request that arrived is answered, no connection is reset, the end comes in time (R-39).

The clients repeat nothing. Until the server is gone they may be refused a connection, or find a kept one closed between
two requests; every other request must be answered. A connection that is made at the instant at which the socket is
closed is reset by the system before the server can know of it; how often is told, and more than one in a stop is
too many. No part of the server may be cut off while it finishes.
"""
import http.client
import threading
import time

from process import TOKEN, at_most
from workload import Worker

CLIENTS = 12
# The grace of a stop.
LIMIT = 30
# Somewhat less than a server that stops leaves to a connection on which nothing has come: `drainIdle` in HTTPServer.
IDLE = 0.9
# What a server logs of a part that did not get its time.
CUT_OFF = "service stopped before it had finished"


class Caller(threading.Thread):
    """Sends requests until nobody listens. `kept` says whether it keeps its connection."""

    def __init__(self, port, body, path, kept):
        super().__init__(daemon=True)
        self.port, self.body, self.path, self.kept = port, body, path, kept
        self.answered, self.problems, self.fresh = 0, [], True
        self.at_the_door, self.late, self.connected, self.ended = 0, 0, 0, threading.Event()

    def run(self):
        connection = None
        while not self.ended.is_set():
            if connection is None:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT + 10)
                self.fresh = True
            try:
                if connection.sock is None:
                    connection.connect()
                    self.connected = time.monotonic()
            except ConnectionRefusedError:
                return
            except ConnectionResetError:
                self.at_the_door += 1
                connection = None
                continue
            except OSError as error:
                self.problems.append("connecting: %r" % error)
                return
            if not self.call(connection) or not self.kept:
                connection.close()
                connection = None

    def call(self, connection):
        """One request; whether the connection can be used again."""
        fields = {"Authorization": "token " + TOKEN, "Accept": "application/vnd.pulumi+9",
                  "Content-Type": "application/json"}
        try:
            connection.request("POST" if self.body else "GET", self.path, self.body, fields)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            # A kept connection may have been closed just before the request.
            closed = isinstance(error, (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError))
            if self.fresh and isinstance(error, ConnectionResetError):
                self.at_the_door += 1
            elif self.fresh and closed and time.monotonic() - self.connected > IDLE:
                self.late += 1
            elif self.fresh or not closed:
                self.problems.append("%s on a %s connection: %r" % (
                    self.path, "fresh" if self.fresh else "kept", error))
            return False
        self.answered += 1
        self.fresh = False
        if answer.status not in (200, 204, 503):
            self.problems.append("%s: %d" % (self.path, answer.status))
        return not answer.will_close


def run(run):
    server = run.server()
    server.start()
    client = run.client(server.port)
    author = Worker(0, client, run.ledger, run.seed, threading.Event())
    author.create()
    author.update("plain")
    author.senders.shutdown()
    slowest, cut_off, crowded = 0, 0, []
    for number in run.rounds():
        callers = [Caller(server.port, *request(author, caller), kept=caller % 2 == 0) for caller in range(CLIENTS)]
        for caller in callers:
            caller.start()
        run.pause(0.1, 0.4)
        run.fault("SIGTERM", number=number)
        began = time.monotonic()
        status = server.stop()
        took = time.monotonic() - began
        slowest = max(slowest, took)
        for caller in callers:
            caller.join(at_most(LIMIT) + 15)
            caller.ended.set()
            run.ledger.count("answers", caller.answered)
            run.violation("stop %d" % number, *caller.problems)
        run.ledger.count("requests that came too late", sum(caller.late for caller in callers))
        at_the_door = sum(caller.at_the_door for caller in callers)
        run.ledger.count("connections reset as the socket was closed", at_the_door)
        if at_the_door > 1:
            crowded.append("stop %d: %d fresh connections were reset" % (number, at_the_door))
        if status != 0 or took > at_most(LIMIT):
            run.violation("stop %d" % number, "status %s after %.1f s" % (status, took))
        cut_off, before = server.output().count(CUT_OFF), cut_off
        if cut_off > before:
            run.violation("stop %d" % number, "the log says that a %s" % CUT_OFF)
        server.start()
    # One of them may be reset by the kernel as the socket is closed; more, where the server loses the processor just then.
    if len(crowded) > 1:
        run.violation("stops", *crowded)
    author.check_state_now("at the end")
    run.summary(client)
    run.say("slowest stop %.2f s" % slowest)
    run.stop(server)


def request(author, number):
    """A body or nothing, and a path: writes, exports and short reads."""
    return (('{"plaintext":"c2VjcmV0"}', author.path + "/encrypt"), (None, author.path + "/export"),
            (None, "/api/user"))[number % 3]
