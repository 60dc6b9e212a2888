"""Proxies before the database that know where a command begins, and cut the connection there."""
import socket
import socketserver
import threading

QUERY, EXECUTE = 3, 23


class Proxy(socketserver.ThreadingTCPServer):
    """Hands on everything, but for a command that `fate` decides otherwise on: that is the last one of its connection.

    Its fate is nothing, to be handed on, or one of HOW: its answer is dropped, it never arrives, or both ends are cut
    at once.
    """
    HOW = ("answer dropped", "never sent", "cut at once")
    daemon_threads = allow_reuse_address = True

    def __init__(self, port):
        super().__init__(("127.0.0.1", 0), Connection)
        self.target, self.lock, self.cut = port, threading.Lock(), threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self):
        return self.server_address[1]

    def fate(self, command, text):
        raise NotImplementedError

    def did_cut(self):
        """After the connection to the database is cut, before the server can know."""
        self.cut.set()


class CommitProxy(Proxy):
    """Cuts at the next COMMIT, when armed."""
    how = None

    def arm(self, how):
        self.cut.clear()
        self.how = how

    def fate(self, command, text):
        if command != QUERY or text.strip().upper() != b"COMMIT":
            return None
        with self.lock:
            how, self.how = self.how, None
            return how


class StepProxy(Proxy):
    """Cuts at the nth command, and tells `victim` of it first."""

    def __init__(self, port, number, how, victim):
        self.number, self.how, self.victim, self.commands = number, how, victim, 0
        super().__init__(port)

    def fate(self, command, text):
        if command not in (QUERY, EXECUTE):
            return None
        with self.lock:
            self.commands += 1
            return self.how if self.commands == self.number else None

    def did_cut(self):
        self.victim()
        self.cut.set()


class Connection(socketserver.BaseRequestHandler):
    def handle(self):
        try:
            upstream = socket.create_connection(("127.0.0.1", self.server.target))
        except OSError:
            return
        self.drops, self.answered = threading.Event(), threading.Event()
        answers = threading.Thread(target=self.pump_answers, args=(upstream,), daemon=True)
        answers.start()
        try:
            self.pump_commands(upstream)
        except OSError:
            pass
        finally:
            close(upstream)
            close(self.request)
            answers.join()

    def pump_answers(self, upstream):
        try:
            while data := upstream.recv(65536):
                if self.drops.is_set():
                    break
                self.request.sendall(data)
        except OSError:
            pass
        self.answered.set()
        close(self.request)

    def pump_commands(self, upstream):
        waiting = b""
        while data := self.request.recv(65536):
            waiting += data
            while len(waiting) >= 4 and len(waiting) >= (size := 4 + int.from_bytes(waiting[:3], "little")):
                packet, waiting = waiting[:size], waiting[size:]
                if packet[3] == 0 and size > 4 and (how := self.server.fate(packet[4], packet[5:])):
                    return self.end(upstream, packet, how)
                upstream.sendall(packet)

    def end(self, upstream, packet, how):
        self.drops.set()
        if how != "never sent":
            upstream.sendall(packet)
        if how == "answer dropped":
            # The answer comes when the commit is durable; the other pump swallows it and ends.
            self.answered.wait(5)
        self.server.did_cut()


def close(connection):
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    connection.close()
