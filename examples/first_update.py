#!/usr/bin/env python3
"""One update of one stack, spoken by hand: what `pulumi up` says to its server, in two hundred lines.

    export PULUMI_BACKEND_URL=http://localhost:8080    # the default
    export PULUMI_ACCESS_TOKEN=pul-…                   # printed by the first start of the server
    python3 examples/first_update.py

It logs in, makes a stack, encrypts a secret, runs an update that saves its state by journal, reads the state, the
history and the events back, decrypts the secret, and removes the stack unless told to `--keep` it. It creates no real
resource. Standard library only; it stops at the first answer that is not what the protocol promises.
"""
import argparse
import base64
import gzip
import json
import os
import sys
import time
import urllib.error
import urllib.request

SECRET_MARK = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}


class Client:
    """Sends JSON to a Cairn server and gives back the JSON that it answers."""

    def __init__(self, url, token):
        self.url, self.token = url.rstrip("/"), token

    def send(self, method, path, body=None, lease=None, compress=False):
        """One request. While an update runs, its own requests carry its `lease` instead of the user's token."""
        headers = {"Accept": "application/vnd.pulumi+9", "Content-Type": "application/json",
                   "Authorization": "update-token " + lease if lease else "token " + self.token}
        data = None if body is None else json.dumps(body).encode()
        if compress:
            data, headers["Content-Encoding"] = gzip.compress(data), "gzip"
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                text = answer.read()
        except urllib.error.HTTPError as refusal:
            sys.exit("%s %s: %d %s" % (method, path, refusal.code, refusal.read().decode("utf-8", "replace")))
        return json.loads(text) if text else None


class Stack:
    """The requests about one stack, and the names of its resources."""

    def __init__(self, client, organization, project, name):
        self.client, self.organization, self.project, self.name = client, organization, project, name
        self.path = "/api/stacks/%s/%s/%s" % (organization, project, name)

    def create(self):
        self.client.send("POST", "/api/stacks/%s/%s" % (self.organization, self.project),
                         {"stackName": self.name, "tags": {"pulumi:project": self.project, "pulumi:runtime": "yaml"}})

    def encrypt(self, text):
        plaintext = base64.b64encode(text.encode()).decode()
        return self.client.send("POST", self.path + "/encrypt", {"plaintext": plaintext})["ciphertext"]

    def decrypt(self, ciphertext):
        answer = self.client.send("POST", self.path + "/batch-decrypt", {"ciphertexts": [ciphertext]}, compress=True)
        return base64.b64decode(answer["plaintexts"][ciphertext]).decode()

    def urn(self, type, name):
        return "urn:pulumi:%s::%s::%s::%s" % (self.name, self.project, type, name)

    def begin_update(self):
        """Creates an update, starts it and takes the stack's lock: begin-update does the three in one request."""
        return self.client.send("POST", self.path + "/begin-update", {
            "updateKind": "update", "journalVersion": 2,
            "tags": {"pulumi:project": self.project, "pulumi:runtime": "yaml"},
            "program": {"name": self.project, "runtime": "yaml", "main": "", "description": "",
                        "options": {"dryRun": False, "parallel": 16}, "config": {},
                        "metadata": {"message": "a first update", "environment": {"exec.kind": "cli"}}}})


class Update:
    """The requests of a running update: each is durable when it is answered."""

    def __init__(self, stack, answer):
        self.stack, self.id, self.lease, self.version = stack, answer["updateID"], answer["token"], answer["version"]
        self.path = "%s/update/%s" % (stack.path, self.id)
        self.entries = self.operations = 0

    def send(self, method, what, body, compress=False):
        return self.stack.client.send(method, self.path + what, body, lease=self.lease, compress=compress)

    def entry(self, kind, number=0, **fields):
        """One journal entry. The sequence number is the order of replay; removeOld and removeNew are always there."""
        self.entries += 1
        return {"version": 1, "kind": kind, "sequenceID": self.entries, "operationID": number,
                "removeOld": None, "removeNew": None, **fields}

    def secrets_manager(self, url):
        """The first entry of every update: who can decrypt the secrets of this state."""
        stack = self.stack
        return self.entry(6, secretsProvider={"type": "service", "state": {
            "url": url, "owner": stack.organization, "project": stack.project, "stack": stack.name}})

    def creation(self, resource):
        """The two entries of a resource that is made: what is about to be done, and what came of it."""
        self.operations += 1
        intended = {key: value for key, value in resource.items() if key not in ("id", "outputs")}
        return (self.entry(0, self.operations, operation={"type": "creating", "resource": intended}),
                self.entry(1, self.operations, state=resource))

    def journal(self, *entries):
        self.send("PATCH", "/journalentries", {"entries": entries}, compress=True)

    def events(self, *payloads):
        now = int(time.time())
        events = [{"sequence": index, "timestamp": now, **payload} for index, payload in enumerate(payloads)]
        self.send("POST", "/events/batch", {"events": events}, compress=True)

    def renew(self):
        self.lease = self.send("POST", "/renew_lease", {"token": "", "duration": 300})["token"]

    def complete(self):
        self.send("POST", "/complete", {"status": "succeeded"})


def resources(stack, ciphertext):
    """The stack itself, a provider, and a password whose result is a secret."""
    root = {"urn": stack.urn("pulumi:pulumi:Stack", "%s-%s" % (stack.project, stack.name)), "custom": False,
            "type": "pulumi:pulumi:Stack"}
    provider = {"urn": stack.urn("pulumi:providers:random", "default"), "custom": True,
                "id": "0f6e9a53-70a8-4a4e-9d6e-3a1f6f1f0b11", "type": "pulumi:providers:random"}
    password = {"urn": stack.urn("random:index/randomPassword:RandomPassword", "password"), "custom": True,
                "id": "none", "type": "random:index/randomPassword:RandomPassword", "parent": root["urn"],
                "provider": "%s::%s" % (provider["urn"], provider["id"]), "inputs": {"length": 16},
                "outputs": {"length": 16, "result": {**SECRET_MARK, "ciphertext": ciphertext}}}
    return root, provider, password


def run_update(stack, ciphertext, url, say):
    update = Update(stack, stack.begin_update())
    say("update", "%s takes the stack, as its version %d" % (update.id, update.version))
    root, provider, password = resources(stack, ciphertext)
    first = [update.secrets_manager(url), *update.creation(root), *update.creation(provider)]
    begun, made = update.creation(password)
    update.journal(*first, begun)
    pending = stack.client.send("GET", stack.path + "/export")["deployment"]["pending_operations"]
    say("journal", "%d entries are durable; %s is in progress" % (update.entries - 1, pending[0]["resource"]["urn"]))
    update.renew()
    say("lease", "renewed for 300 s")
    update.journal(made)
    update.events({"preludeEvent": {"config": {}}},
                  {"diagnosticEvent": {"urn": password["urn"], "message": "made by hand\n", "color": "raw",
                                       "severity": "info"}},
                  {"summaryEvent": {"maybeCorrupt": False, "durationSeconds": 1, "resourceChanges": {"create": 3},
                                    "PolicyPacks": {}, "isPreview": False, "result": "succeeded"}})
    update.complete()
    say("complete", "the journal is folded into version %d, and the stack is free" % update.version)
    return update


def read_back(stack, update, secret, say):
    document = stack.client.send("GET", stack.path + "/export")
    found = document["deployment"]["resources"]
    say("export", "%d resources, %d bytes of JSON" % (len(found), len(json.dumps(document))))
    decrypted = stack.decrypt(found[-1]["outputs"]["result"]["ciphertext"])
    if len(found) != 3 or decrypted != secret:
        sys.exit("the state is not what was saved: %s" % json.dumps(document))
    say("secret", "the state holds its ciphertext, and it decrypts to %s" % decrypted)
    latest = stack.client.send("GET", stack.path + "/updates?pageSize=10&page=1")["updates"][0]
    say("history", "version %(version)d: %(kind)s %(result)s, %(resourceChanges)s" % latest)
    events = stack.client.send("GET", update.path + "/events")["events"]
    say("events", ", ".join(key for event in events for key in event if key.endswith("Event")))
    if latest["version"] != update.version or latest["result"] != "succeeded" or len(events) != 3:
        sys.exit("history or events are not what was sent")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default=os.environ.get("PULUMI_BACKEND_URL", "http://localhost:8080"))
    parser.add_argument("--organization", help="the user's default one when not given")
    parser.add_argument("--stack", default="by-hand-%d" % (time.time() * 1000), help="name of the stack; made up when not given")
    parser.add_argument("--keep", action="store_true", help="leave the stack on the server")
    options = parser.parse_args()
    token = os.environ.get("PULUMI_ACCESS_TOKEN") or sys.exit("PULUMI_ACCESS_TOKEN is not set")

    def say(what, text):
        print("%-10s %s" % (what, text))

    client = Client(options.url, token)
    user = client.send("GET", "/api/user")
    organization = options.organization or client.send("GET", "/api/user/organizations/default")["GitHubLogin"]
    say("login", "%s at %s, organization %s" % (user["githubLogin"], options.url, organization))
    offered = client.send("GET", "/api/capabilities")["capabilities"]
    say("server", "offers " + ", ".join(sorted(capability["capability"] for capability in offered)))
    stack = Stack(client, organization, "first-update", options.stack)
    stack.create()
    say("stack", "%s/%s/%s is made" % (organization, stack.project, stack.name))
    secret = json.dumps("correct horse battery staple")
    ciphertext = stack.encrypt(secret)
    say("encrypt", "%s… (%d characters)" % (ciphertext[:24], len(ciphertext)))
    update = run_update(stack, ciphertext, options.url, say)
    read_back(stack, update, secret, say)
    if options.keep:
        say("kept", "pulumi stack export --stack %s/%s/%s shows it" % (organization, stack.project, stack.name))
    else:
        client.send("DELETE", stack.path + "?force=true")
        say("removed", "stack, history and key are gone")


if __name__ == "__main__":
    main()
