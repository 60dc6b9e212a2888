"""A proxy before the database that knows when a transaction is committed, and cuts the connection there."""
import socket
import socketserver
import threading

QUERY = 3


class CommitProxy(socketserver.ThreadingTCPServer):
    """Hands on everything until it is armed; then the next COMMIT is the last packet of its connection.

    What becomes of it is one of HOW: its answer is dropped, it never arrives, or both ends are cut at once.
    """
    HOW = ("answer dropped", "never sent", "cut at once")
    daemon_threads = allow_reuse_address = True

    def __init__(self, port):
        super().__init__(("127.0.0.1", 0), Connection)
        self.target, self.lock, self.how, self.cut = port, threading.Lock(), None, threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self):
        return self.server_address[1]

    def arm(self, how):
        self.cut.clear()
        self.how = how

    def take(self):
        """What to do with a COMMIT that is passing; only one connection gets it."""
        with self.lock:
            how, self.how = self.how, None
            return how


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
                if packet[3] == 0 and packet[4:5] == bytes([QUERY]) and packet[5:].strip().upper() == b"COMMIT":
                    if how := self.server.take():
                        return self.end(upstream, packet, how)
                upstream.sendall(packet)

    def end(self, upstream, packet, how):
        self.drops.set()
        if how != "never sent":
            upstream.sendall(packet)
        if how == "answer dropped":
            # The answer comes when the commit is durable; the other pump swallows it and ends.
            self.answered.wait(5)
        self.server.cut.set()


def close(connection):
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    connection.close()
