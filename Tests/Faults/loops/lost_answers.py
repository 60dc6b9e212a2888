#!/usr/bin/env python3
"""Every first answer to a request that clients repeat is lost after the server acted: updates end well all the same.

    lost_answers.py sqlite|mariadb|mysql UPDATES

A proxy hands each request on, and cuts the connection instead of answering the first time; the client sends the same
bytes again. At the end nothing is lost and nothing is there twice.
"""
import argparse
import base64
import collections
import hashlib
import http.client
import http.server
import json
import os
import re
import sys
import threading

from client import Client, Refused
from databases import DatabaseServer
from ledger import Ledger
from process import TOKEN, Server
from workload import Worker

# What the command line repeats: everything of a running update, cancel, and the four calls about secrets.
REPEATED = re.compile(r"/update/[^/]+/(checkpoint|checkpointverbatim|checkpointdelta|journalentries|renew_lease|complete"
                      r"|cancel|events|events/batch)$|/(encrypt|decrypt|batch-encrypt|batch-decrypt)$")


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


class Limited(Worker):
    """A worker that ends after so many updates and uses, beside the saves, what is repeated as well."""

    def __init__(self, number, updates, *rest):
        super().__init__(number, *rest)
        self.left = updates

    def update(self):
        self.secrets()
        super().update()
        self.single_event()
        self.cancel()
        self.left -= 1
        if self.left <= 0:
            self.stopped.set()

    def secrets(self):
        def send(what, body):
            return json.loads(self.client.send("POST", self.path + what, json.dumps(body), compress="batch" in what))

        texts = [base64.b64encode(b"%d of %s %d" % (index, self.name.encode(), self.left)).decode() for index in range(5)]
        one = send("/encrypt", {"plaintext": texts[0]})["ciphertext"]
        many = send("/batch-encrypt", {"plaintexts": texts})["ciphertexts"]
        back = send("/batch-decrypt", {"ciphertexts": many})["plaintexts"]
        if send("/decrypt", {"ciphertext": one})["plaintext"] != texts[0] or [back[key] for key in many] != texts:
            self.ledger.violation(self.name, "secrets", ["a secret is not what it was"])

    def begun(self):
        answer = json.loads(self.client.send("POST", self.path + "/begin-update", json.dumps({
            "updateKind": "update", "program": {"name": "faults", "options": {"dryRun": False}}}), attempts=1))
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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("engine", choices=["sqlite", "mariadb", "mysql"])
    parser.add_argument("updates", type=int)
    options = parser.parse_args()
    folder = os.path.join(os.environ["E2E_FOLDER"], "lost-" + options.engine)
    os.makedirs(folder)
    ledger = Ledger(os.path.join(folder, "ledger.jsonl"))
    database = None if options.engine == "sqlite" else DatabaseServer(options.engine, os.path.join(folder, "database"))
    server = Server(os.path.join(folder, "server"), **(database.settings("cairn_lost") if database else {}))
    try:
        server.start()
        proxy = Proxy(server.port)
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        client = Client([proxy.server_address[1]], TOKEN, waits=(0.01, 0.05, 0.2))
        workers = [Limited(number, options.updates, client, ledger, "lost", threading.Event()) for number in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        print("%s: %d answers lost: %s" % (options.engine, sum(proxy.lost.values()), dict(sorted(proxy.lost.items()))))
        for form in ("checkpoint", "checkpointverbatim", "checkpointdelta", "journalentries", "renew_lease", "complete",
                     "cancel", "events", "events/batch", "encrypt", "decrypt", "batch-encrypt", "batch-decrypt"):
            if not proxy.lost[form]:
                ledger.violation("", "workload", ["no answer to %s was lost: this run shows nothing of it" % form])
        if ledger.counts["deltas that fell back"]:
            ledger.violation("", "deltas", ["%d were refused" % ledger.counts["deltas that fell back"]])
        if server.stop() != 0:
            ledger.violation("", "server", ["did not end well"])
    finally:
        server.kill()
        if database:
            database.stop()
    print("\n".join(ledger.violations[:40]) or "  every update ended well, nothing twice")
    sys.exit(1 if ledger.violations else 0)


if __name__ == "__main__":
    main()
