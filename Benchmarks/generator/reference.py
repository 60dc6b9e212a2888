"""What a state must be: a second, plain reading of the protocol that shares no code with a server.

Resources are kept as the text that was sent, because those bytes must come back; a resource that a rule changes (marks,
repair after a refresh) has only a value from then on.
"""

import json


class Item:
    """A resource: its text as sent, or only a value when the replay has changed it."""

    def __init__(self, text=None, value=None):
        self.text, self._value = text, value

    @property
    def value(self):
        if self._value is None:
            self._value = json.loads(self.text)
        return self._value

    def changed(self, **fields):
        """A copy with other fields; the same item when nothing differs. A field of None goes away."""
        value = {key: field for key, field in {**self.value, **fields}.items() if field is not None}
        return self if value == self.value else Item(value=value)


class Entry:
    """One journal entry, as what replay needs and as the text on the wire."""

    POINTERS = ("removeOld", "removeNew", "deleteOld", "deleteNew", "pendingReplacementOld", "pendingReplacementNew")

    def __init__(self, kind, sequence, operation=0, state=None, intention=None, keeper=None, refresh=False, **pointers):
        unknown = set(pointers) - set(self.POINTERS)
        if unknown:
            raise TypeError(f"no such pointer: {unknown}")
        self.kind, self.sequence, self.operation = kind, sequence, operation
        self.state = Item(state) if state else None
        self.intention, self.keeper, self.refresh, self.pointers = intention, keeper, refresh, pointers

    def json(self):
        fields = [f'"version":1,"kind":{self.kind},"sequenceID":{self.sequence},"operationID":{self.operation}']
        for name in self.POINTERS:
            value = self.pointers.get(name)
            if value is not None or name in ("removeOld", "removeNew"):
                fields.append(f'"{name}":{"null" if value is None else value}')
        if self.state:
            fields.append(f'"state":{self.state.text}')
        if self.intention:
            fields.append(f'"operation":{{"resource":{self.intention[1]},"type":"{self.intention[0]}"}}')
        if self.refresh:
            fields.append('"isRefresh":true')
        if self.keeper:
            fields.append(f'"secretsProvider":{self.keeper}')
        return "{" + ",".join(fields) + "}"


class State:
    """The resources of a stack in order, its pending operations as (type, Item), and its keeper of secrets."""

    def __init__(self, resources=(), pending=(), keeper=None):
        self.resources, self.pending, self.keeper = list(resources), list(pending), keeper

    @staticmethod
    def of_texts(texts, keeper=None):
        return State([Item(text) for text in texts], keeper=keeper)


class Replay:
    """The replay of one update's journal on a base (cli-protocol.md 12.6 and 12.7)."""

    def __init__(self, base):
        self.base, self.refreshed = base, False
        self.forget()

    def forget(self):
        self.new, self.place, self.open, self.replaced = [], {}, {}, {}
        self.drop_new, self.drop_old, self.delete_old, self.pending_old = set(), set(), set(), set()

    def take(self, entry):
        if entry.kind == 0:
            self.open[entry.operation] = entry
        elif entry.kind in (1, 2, 3):
            self.open.pop(entry.operation, None)
        if entry.kind == 1:
            self.success(entry)
        elif entry.kind in (3, 4):
            self.refreshed |= entry.kind == 3
            self.in_place(entry)
        elif entry.kind == 6:
            self.base = State(self.base.resources, self.base.pending, entry.keeper or self.base.keeper)
        elif entry.kind == 7:
            self.base = self.result()
            self.forget()

    def success(self, entry):
        old_new = entry.pointers.get
        if entry.state:
            self.place[entry.operation] = len(self.new)
            self.new.append(entry.state)
        for name, found in (("removeOld", self.drop_old), ("removeNew", self.drop_new), ("deleteOld", self.delete_old),
                            ("pendingReplacementOld", self.pending_old)):
            if old_new(name) is not None:
                found.add(old_new(name))
        for name, mark in (("deleteNew", "delete"), ("pendingReplacementNew", "pendingReplacement")):
            if old_new(name) is not None:
                at = self.place[old_new(name)]
                self.new[at] = self.new[at].changed(**{mark: True})
        self.refreshed |= entry.refresh

    def in_place(self, entry):
        """Refresh and outputs: the new text stands where the old one stood; a refreshed resource may be gone."""
        old, new = entry.pointers.get("removeOld"), entry.pointers.get("removeNew")
        if entry.state:
            if old is not None:
                self.replaced[old] = entry.state
            if new is not None:
                self.new[self.place[new]] = entry.state
        elif entry.kind == 3:
            self.drop_old |= {old} - {None}
            self.drop_new |= {new} - {None}

    def result(self):
        gone = {self.place[operation] for operation in self.drop_new}
        out = [item for place, item in enumerate(self.new) if place not in gone]
        for index, item in enumerate(self.base.resources):
            if index in self.drop_old:
                continue
            if index in self.replaced:
                out.append(self.replaced[index])
                continue
            marks = {"pendingReplacement": True} if index in self.pending_old else {}
            marks.update({"delete": True} if index in self.delete_old else {})
            out.append(item.changed(**marks) if marks else item)
        pending = [(entry.intention[0], Item(entry.intention[1])) for _, entry in sorted(self.open.items())
                   if entry.intention]
        pending += [(kind, item) for kind, item in self.base.pending if kind == "creating"]
        return State(repaired(out) if self.refreshed else out, pending, self.base.keeper)


def replay(base, entries):
    """The state after the entries of one update, in whatever order they came."""
    run = Replay(base)
    for entry in sorted(entries, key=lambda entry: entry.sequence):
        run.take(entry)
    return run.result()


def repaired(items):
    """After a refresh nothing refers to what is not there (12.7)."""
    seen, out = set(), []
    for item in items:
        value, fields = item.value, {}
        for name in ("dependencies", "replaceWith"):
            if value.get(name) is not None:
                fields[name] = [urn for urn in value[name] if urn in seen] or None
        if value.get("propertyDependencies") is not None:
            kept = {key: [urn for urn in urns if urn in seen] for key, urns in value["propertyDependencies"].items()}
            fields["propertyDependencies"] = {key: urns for key, urns in kept.items() if urns} or None
        if value.get("deletedWith") and value["deletedWith"] not in seen:
            fields["deletedWith"] = None
        out.append(item.changed(**fields) if fields else item)
        seen.add(value["urn"])
    urns = {item.value["urn"] for item in out}
    return [item.changed(parent=None) if item.value.get("parent") and item.value["parent"] not in urns else item
            for item in out]


def apply_delta(base, edits):
    """The bytes after a checkpoint delta: offsets count bytes of the base; old clients address by line and column."""
    starts = [0]
    for index, byte in enumerate(base):
        if byte == 10:
            starts.append(index + 1)

    def position(point):
        offset, line = point["offset"], point["line"]
        if offset > 0 or offset == 0 and line <= 1:
            return offset
        return (starts + [len(base)])[line - 1] + point["column"] - 1

    out, end = [], 0
    for edit in edits:
        first, last = position(edit["Span"]["start"]), position(edit["Span"]["end"])
        if not end <= first <= last <= len(base):
            raise ValueError(f"an edit of {first} to {last} is out of order or out of the text")
        out += [base[end:first], (edit["NewText"] or "").encode()]
        end = last
    return b"".join(out) + base[end:]
