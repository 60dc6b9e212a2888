"""What a stack must look like: a second, plain reading of the protocol that shares no code with the server.

Resources are kept as the text that was sent, because the server must give back those bytes.
"""
import json


class State:
    """The resources of a stack in order, and those whose creation is in progress; each as its text."""

    def __init__(self, resources=(), pending=()):
        self.resources, self.pending = list(resources), list(pending)

    def problems(self, body):
        """What is wrong with the text of an export; nothing when it shows exactly this state."""
        deployment = json.loads(body)["deployment"]
        found = [json.dumps(resource, sort_keys=True) for resource in deployment.get("resources") or []]
        wanted = [json.dumps(json.loads(text), sort_keys=True) for text in self.resources]
        problems = differences(wanted, found, "resource")
        if not problems and found != wanted:
            problems.append("the resources are in another order")
        open_now = [json.dumps(operation["resource"], sort_keys=True)
                    for operation in deployment.get("pending_operations") or []]
        problems += differences([json.dumps(json.loads(text), sort_keys=True) for text in self.pending], open_now,
                                "pending operation")
        return problems or self.text_problems(body)

    def text_problems(self, body):
        """The resources must be there byte for byte, one after the other."""
        position = 0
        for text in self.resources:
            position = body.find(text, position)
            if position < 0:
                return ["a resource has other bytes: " + text[:120]]
            position += len(text)
        return []


def differences(wanted, found, what):
    problems = []
    for text in sorted(set(wanted) | set(found)):
        expected, actual = wanted.count(text), found.count(text)
        if actual < expected:
            problems.append("LOST %s %s" % (what, text[:160]))
        elif actual > max(expected, 0):
            problems.append("%s %s %s" % ("DOUBLED" if expected else "NEVER SENT", what, text[:160]))
    return problems


class Entry:
    """One journal entry: kind 0 begins, 1 ends well, 2 ends badly, 6 names the keeper of secrets."""

    def __init__(self, kind, sequence, operation=0, text=None, remove_old=None, remove_new=None):
        self.kind, self.sequence, self.operation, self.text = kind, sequence, operation, text
        self.remove_old, self.remove_new = remove_old, remove_new

    def json(self):
        fields = ['"version":1', '"kind":%d' % self.kind, '"sequenceID":%d' % self.sequence,
                  '"operationID":%d' % self.operation, '"removeOld":' + json.dumps(self.remove_old),
                  '"removeNew":' + json.dumps(self.remove_new)]
        if self.kind == 0 and self.text:
            fields.append('"operation":{"type":"creating","resource":%s}' % self.text)
        if self.kind == 1 and self.text:
            fields.append('"state":' + self.text)
        if self.kind == 6:
            fields.append('"secretsProvider":' + self.text)
        return "{%s}" % ",".join(fields)


def fold(base, entries):
    """The state after these entries (cli-protocol.md 12.6, the kinds above)."""
    new, dropped_old, dropped_new, in_progress = {}, set(), set(), {}
    for entry in sorted(entries, key=lambda entry: entry.sequence):
        if entry.kind == 0:
            in_progress[entry.operation] = entry.text
        elif entry.kind in (1, 2):
            in_progress.pop(entry.operation, None)
        if entry.kind == 1:
            if entry.text:
                new[entry.operation] = entry.text
            if entry.remove_old is not None:
                dropped_old.add(entry.remove_old)
            if entry.remove_new is not None:
                dropped_new.add(entry.remove_new)
    kept = [text for operation, text in new.items() if operation not in dropped_new]
    kept += [text for index, text in enumerate(base.resources) if index not in dropped_old]
    return State(kept, [text for text in in_progress.values() if text] + base.pending)


def event_problems(sent, unknown, found):
    """Compares events: `sent` were acknowledged, by sequence; `unknown` may be there; `found` are the server's."""
    problems, seen = [], set()
    for event in found:
        sequence = event["sequence"]
        if sequence in seen:
            problems.append("DOUBLED event %d" % sequence)
        seen.add(sequence)
        known = sent.get(sequence) or unknown.get(sequence)
        if known is None:
            problems.append("NEVER SENT event %d" % sequence)
        elif {key: event.get(key) for key in known} != known:
            problems.append("event %d is not what was sent: %s" % (sequence, json.dumps(event)[:160]))
    problems += ["LOST event %d" % sequence for sequence in sorted(set(sent) - seen)]
    if [event["sequence"] for event in found] != sorted(event["sequence"] for event in found):
        problems.append("events are out of order")
    return problems
