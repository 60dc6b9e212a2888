"""A door to a service: whoever is behind it is there, is late, refuses connections, or says nothing any more."""
import socket
import threading
import time


class Gate:
    """Passes connections on to a port of this machine, on a port of its own that stays the same."""

    def __init__(self, target):
        self.target = target
        self.delay = 0  # seconds before anything of an answer is passed on
        self.lock = threading.Lock()
        self.open_sockets = []
        self.listener, self.port, self.is_silent = None, 0, False
        self.open()

    def open(self):
        """Lets everybody through."""
        self.close()
        self._listen(is_silent=False)

    def hang(self):
        """Takes connections and says nothing."""
        self.close()
        self._listen(is_silent=True)

    def close(self):
        """Ends every connection and refuses new ones."""
        with self.lock:
            sockets, self.open_sockets = self.open_sockets, []
            listener, self.listener = self.listener, None
        for each in sockets + ([listener] if listener else []):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            each.close()

    def _listen(self, is_silent):
        listener = socket.create_server(("127.0.0.1", self.port), backlog=64)
        with self.lock:
            self.listener, self.port, self.is_silent = listener, listener.getsockname()[1], is_silent
        threading.Thread(target=self._accept, args=(listener, is_silent), daemon=True).start()

    def _accept(self, listener, is_silent):
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            sockets = [near]
            if not is_silent:
                far = socket.create_connection(("127.0.0.1", self.target))
                sockets.append(far)
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._pump, args=(source, sink, sink is near), daemon=True).start()
            with self.lock:
                self.open_sockets += sockets

    def _pump(self, source, sink, is_answer):
        try:
            while data := source.recv(65_536):
                if is_answer:
                    time.sleep(self.delay)
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass
