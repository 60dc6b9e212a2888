"""The first answer to every request that clients repeat is lost after the server acted (R-10).

A proxy hands each request on, and cuts the connection instead of answering the first time; the client sends the same
bytes again. Every update ends well, nothing is lost and nothing is there twice.
"""
import base64
import collections
import hashlib
import http.client
import http.server
import json
import re
import threading
import time

from client import Refused
from process import at_most
from workload import Worker

FORMS = ("checkpoint", "checkpointverbatim", "checkpointdelta", "journalentries", "renew_lease", "complete", "cancel",
         "events", "events/batch", "encrypt", "decrypt", "batch-encrypt", "batch-decrypt")

# What the command line repeats: everything of a running update, cancel, and the four calls about secrets.
REPEATED = re.compile(r"/update/[^/]+/(checkpoint|checkpointverbatim|checkpointdelta|journalentries|renew_lease"
                      r"|complete|cancel|events|events/batch)$|/(encrypt|decrypt|batch-encrypt|batch-decrypt)$")

# Some kinds of requests are rare; a short run waits so many seconds for each to come.
LONGEST_WAIT = 60


class Proxy(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port):
        super().__init__(("127.0.0.1", 0), Handler)
        self.target, self.lock = port, threading.Lock()
        self.seen, self.lost = set(), collections.Counter()

    def loses(self, method, path, body):
        """Whether this answer gets lost: the first one of each request."""
        match = REPEATED.search(path)
        key = (method, path, hashlib.sha256(body).digest())
        with self.lock:
            if method == "GET" or not match or key in self.seen:
                return False
            self.seen.add(key)
            self.lost[match.group(1) or match.group(2)] += 1
            return True


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def hand_on(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        connection = http.client.HTTPConnection("127.0.0.1", self.server.target, timeout=60)
        fields = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "content-length")}
        connection.request(self.command, self.path, body, fields)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        if self.server.loses(self.command, self.path, body):
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in ("connection", "transfer-encoding", "content-length", "date", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = hand_on

    def log_message(self, *_):
        pass


class Thorough(Worker):
    """Uses, beside the saves, what is repeated as well."""

    def update(self, mode=None):
        self.secrets()
        super().update(mode)
        self.single_event()
        self.cancel()

    def secrets(self):
        def send(what, body):
            return json.loads(self.client.send("POST", self.path + what, json.dumps(body), compress="batch" in what))

        texts = [base64.b64encode(b"%d of %s %d" % (index, self.name.encode(), self.made)).decode()
                 for index in range(5)]
        one = send("/encrypt", {"plaintext": texts[0]})["ciphertext"]
        many = send("/batch-encrypt", {"plaintexts": texts})["ciphertexts"]
        back = send("/batch-decrypt", {"ciphertexts": many})["plaintexts"]
        if send("/decrypt", {"ciphertext": one})["plaintext"] != texts[0] or [back[key] for key in many] != texts:
            self.ledger.violation(self.name, "secrets", ["a secret is not what it was"])

    def begun(self):
        answer = self.ask_to_begin({
            "updateKind": "update", "program": {"name": "faults", "options": {"dryRun": False}}})
        return answer, "%s/update/%s" % (self.path, answer["updateID"])

    def single_event(self):
        """The form of old clients; it ends as failed, which the history may say of versions that no ledger knows."""
        answer, path = self.begun()
        event = {"sequence": 0, "timestamp": 1, "stdoutEvent": {"message": "once", "color": "raw"}}
        self.client.send("POST", path + "/events", json.dumps(event), answer["token"])
        self.client.send("POST", path + "/complete", '{"status":"failed"}', answer["token"])
        found = self.client.json(path + "/events")["events"]
        if [entry["sequence"] for entry in found] != [0]:
            self.ledger.violation(self.name, "events", ["one was sent, there are %s" % found])

    def cancel(self):
        answer, path = self.begun()
        self.client.send("POST", path + "/cancel")
        try:
            self.client.send("POST", path + "/complete", '{"status":"succeeded"}', answer["token"])
            self.ledger.violation(self.name, "cancel", ["a cancelled update could be completed"])
        except Refused as refusal:
            if refusal.status != 409:
                raise


def run(run, engine):
    settings = {} if engine == "sqlite" else run.database(engine).settings("cairn_lost")
    server = run.server(**settings).start()
    proxy = Proxy(server.port)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    client = run.client(proxy.server_address[1], waits=(0.01, 0.05, 0.2))
    fleet = run.fleet(client, 4, worker=Thorough).start()
    deadline = None
    while not run.ledger.violations:
        if run.done >= run.cycles:
            deadline = deadline or time.monotonic() + at_most(LONGEST_WAIT)
            if all(proxy.lost[form] for form in FORMS) or time.monotonic() > deadline:
                break
        time.sleep(0.05)
        run.did(sum(proxy.lost.values()) - run.done)
    fleet.finish(run)
    run.did(sum(proxy.lost.values()) - run.done)
    run.say("lost: %s" % dict(sorted(proxy.lost.items())))
    for form in FORMS:
        if not proxy.lost[form]:
            run.violation("workload", "no answer to %s was lost: this run shows nothing of it" % form)
    if run.ledger.counts["deltas that fell back"]:
        run.violation("deltas", "%d were refused" % run.ledger.counts["deltas that fell back"])
    run.stop(server)
