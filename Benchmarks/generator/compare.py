"""Compares what a server exports with what the reference says it must be: no difference, or the run has no score."""

import json


def problems(exported, state, by_bytes=True):
    """What is wrong with an exported state; nothing when it is right.

    With `by_bytes` each resource must come back as the text that was sent. Servers that keep parsed documents cannot do
    that; they are compared by value, and the caller says so beside the figure.
    """
    try:
        document = json.loads(exported)
        deployment = document["deployment"] or {}
    except (ValueError, KeyError, TypeError) as error:
        return [f"the export is no state: {error!r}"]
    exported = exported if isinstance(exported, bytes) else exported.encode()
    wrong = []
    if not (by_bytes and whole_array(state) in exported):
        found = deployment.get("resources") or []
        wrong = differences([item.value for item in state.resources], found, "resource")
    pending = [(operation.get("type"), operation.get("resource")) for operation in deployment.get("pending_operations") or []]
    wrong += differences([(kind, item.value) for kind, item in state.pending], pending, "pending operation")
    keeper = deployment.get("secrets_providers")
    if state.keeper and keeper != json.loads(state.keeper):
        wrong.append(f"the keeper of secrets is {json.dumps(keeper)[:120]}")
    if not wrong and by_bytes:
        wrong = byte_problems(exported, state)
    return wrong


def differences(wanted, found, what):
    """The first element that differs, or the difference in number."""
    for number, (one, other) in enumerate(zip(wanted, found)):
        if one != other:
            return [f"{what} {number} is {json.dumps(other)[:160]} instead of {json.dumps(one)[:160]}"]
    return [] if len(wanted) == len(found) else [f"{len(found)} {what}s instead of {len(wanted)}"]


def whole_array(state):
    """The bytes of all resources as they were sent; what no export has when a rule has changed one of them."""
    if not state.resources or not all(item.text for item in state.resources):
        return b"\0"
    return ('"resources":[' + ",".join(item.text for item in state.resources) + "]").encode()


def byte_problems(exported, state):
    """Whether the texts of the resources are there byte for byte, one after the other."""
    if whole_array(state) in exported:
        return []
    at = 0
    for number, item in enumerate(state.resources):
        if item.text:
            at = exported.find(item.text.encode(), at)
            if at < 0:
                return [f"resource {number} has other bytes than were sent: {item.text[:120]}"]
            at += len(item.text)
    return []


def event_problems(events, stack, count):
    """Whether an update's events are those that were sent, in order, each once."""
    if len(events) != count:
        return [f"{len(events)} events instead of {count}"]
    for number, got in enumerate(events):
        wanted = json.loads(stack.event(number))
        if {**got, **wanted} != got:  # A server may add what it knows, such as the kind.
            return [f"event {number} is {json.dumps(got)[:160]}"]
    return []
