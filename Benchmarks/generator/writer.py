"""Writes updates: the bodies of create and start, the entries of each kind of step, and what they do."""

import json

from generator.reference import Entry

BATCH = 100  # entries in a request; the command line sends no more
EVENTS = 50


def program(kind="update"):
    """The body of create, about 2 KB, as `pulumi up` of a project with a repository sends it."""
    environment = {
        "exec.kind": "cli", "pulumi.version": "v3.274.1", "pulumi.os": "linux", "pulumi.arch": "amd64",
        "git.head": "0123456789abcdef0123456789abcdef01234567", "git.headName": "refs/heads/main", "git.dirty": "false",
        "git.author": "Somebody", "git.author.email": "somebody@example.com", "git.committer": "Somebody",
        "git.committer.email": "somebody@example.com", "vcs.kind": "example.com", "vcs.owner": "team", "vcs.repo": "infra",
        "ci.system": "none", "stack.environments": "[]",
    }
    config = {f"load:setting{number}": {"string": "value " * 8, "secret": False, "object": False} for number in range(10)}
    options = {"localPolicyPackPaths": [], "color": "raw", "dryRun": kind == "preview", "parallel": 16,
               "showConfig": False, "showReplacementSteps": False, "showSames": False, "summary": False}
    return json.dumps({"name": "load", "runtime": "yaml", "main": "", "description": "a project under load",
                       "config": config, "options": options,
                       "metadata": {"message": "an update of the load generator", "environment": environment}})


def start(journal, **tags):
    """The body of start, which replaces the tags of the stack: a client sends all it wants to keep."""
    return json.dumps({"tags": {"pulumi:project": "load", "pulumi:runtime": "yaml", **tags},
                       **({"journalVersion": journal} if journal else {})})


class Journal:
    """Writes the entries of one update in the engine's order."""

    def __init__(self, stack):
        self.stack, self.entries, self.operations = stack, [], 0
        self.add(6, keeper=stack.keeper)

    def add(self, kind, operation=0, **fields):
        self.entries.append(Entry(kind, len(self.entries) + 1, operation, **fields))

    def step(self, intention, **end):
        """The two entries of a step that ends well; its operation."""
        self.operations += 1
        self.add(0, self.operations, intention=intention)
        self.add(end.pop("kind", 1), self.operations, **end)
        return self.operations

    def same(self, number, old, generation=0):
        return self.step(None, state=self.stack.resource(number, generation), removeOld=old)

    def create(self, number, generation=0, **pointers):
        stack = self.stack
        return self.step(("creating", stack.resource(number, generation, True)),
                         state=stack.resource(number, generation), **pointers)

    def update(self, number, old, generation):
        stack = self.stack
        return self.step(("updating", stack.resource(number, generation, True)),
                         state=stack.resource(number, generation), removeOld=old)

    def delete(self, number, old, generation=0):
        return self.step(("deleting", self.stack.resource(number, generation)), removeOld=old)

    def replace(self, number, old, generation):
        """In two steps: the new one is made while the old one is only marked; then the old one is deleted."""
        self.create(number, generation, deleteOld=old)
        return self.delete(number, old, generation)

    def refresh(self, number, old, generation):
        """A step of a refresh that is not persisted: the state is replaced where it stands."""
        return self.step(None, kind=3, state=self.stack.resource(number, generation), removeOld=old, refresh=True)

    def batches(self, size=BATCH):
        """The bodies of the requests, in order."""
        return ['{"entries":[' + ",".join(entry.json() for entry in self.entries[first:first + size]) + "]}"
                for first in range(0, len(self.entries), size)]


def login(script):
    """The first requests of every command."""
    script.send("user", "GET", "/api/user")
    script.send("capabilities", "GET", "/api/capabilities")
    return script.send("default-org", "GET", "/api/user/organizations/default")


def begin(script, kind, create, start_slot):
    """Create and start, by the slots of their bodies; the command line repeats neither."""
    script.send("create", "POST", "{S}/" + kind, create, captures="updateID>u")
    return script.send("start", "POST", "{S}/update/{u}", start_slot, captures="token>t")


def recovery(script_class):
    """What a person does when an update has broken: cancel what still runs, and start again."""
    script = script_class("recover").stage()
    script.send("recover", "GET", "{S}", captures="activeUpdate>a")
    return script.send("recover", "POST", "{S}/update/{a}/cancel", status=0, retries=True)
