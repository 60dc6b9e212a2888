"""Whether what several clients saw of one stack can be put into one order: a search after Wing, Gong and Lowe.

An operation has the moments when it was called and when its answer came. One whose answer is unknown may have happened
at any moment after its call, or never. The stack must behave as if each had happened at one instant between the two.
"""
import dataclasses
import itertools
import threading
import time
import typing

UNKNOWN = "unknown"


@dataclasses.dataclass
class Operation:
    """`answer` is "ok", "refused" or UNKNOWN; `value` is what a save wrote or a read saw."""
    kind: str
    update: typing.Optional[str] = None
    value: typing.Optional[str] = None
    answer: str = UNKNOWN
    called: int = 0
    returned: float = float("inf")
    client: str = ""
    takes_over: bool = False

    def __str__(self):
        times = "%d..%s" % (self.called, "?" if self.returned == float("inf") else int(self.returned))
        details = " ".join(str(part) for part in (self.update, self.value) if part is not None)
        return "%s %s %s %s: %s%s" % (times, self.client, self.kind, details, self.answer,
                                      " (may take over)" if self.takes_over else "")


@dataclasses.dataclass(frozen=True)
class Stack:
    """The model: who holds the stack, what an export shows, and which updates were cancelled."""
    holder: typing.Optional[str] = None
    text: typing.Optional[str] = None
    cancelled: frozenset = frozenset()

    def after(self, operation):
        """The stacks that this operation may lead to, with the answer that it got; none when it cannot have got it."""
        if operation.answer == UNKNOWN:
            return [stack for stack in self.outcomes(operation) if stack != self]
        done = operation.answer == "ok"
        if operation.kind == "read":
            return [self] if self.text == operation.value else []
        if operation.kind == "cancel" and done and operation.update in self.cancelled:
            return [self]
        outcomes = self.outcomes(operation)
        if done:
            return outcomes
        # Who may take over an update whose time is up need not have been able to.
        refusable = not outcomes or operation.takes_over and self.holder is not None
        return [self] if refusable else []

    def outcomes(self, operation):
        """What the operation does if it is accepted; nothing when the stack must refuse it."""
        if operation.kind == "start":
            return [self.changed(holder=operation.update)] if self.holder is None or operation.takes_over else []
        if self.holder is None or self.holder != operation.update:
            return []
        if operation.kind == "save":
            return [self.changed(text=operation.value)]
        let_go = self.changed(holder=None)
        if operation.kind == "cancel":
            return [let_go.changed(cancelled=self.cancelled | {operation.update})]
        return [let_go]

    def changed(self, **fields):
        return dataclasses.replace(self, **fields)


def linearizable(operations, start=Stack()):
    """Whether there is an order.

    What has an answer must have happened, what has none need not. So of two ways to the same stack with the same
    operations that have answers, only one is followed when it used up no others than the other one did: a server that
    dies leaves a dozen without an answer, and all sets of them are too many to look at.
    """
    operations = sorted(without_repeated_cancels(operations), key=lambda operation: operation.called)
    answered = sum(1 << index for index, operation in enumerate(operations) if operation.answer != UNKNOWN)
    asked_again = frozenset(operation.update for operation in operations
                            if operation.kind == "cancel" and operation.answer == "ok")
    earlier = earlier_alike(operations)
    todo, seen = [(0, start)], {}
    while todo:
        done, stack = settle(operations, *todo.pop())
        if done & answered == answered:
            return True
        # Only a second cancel asks whether there was a first one.
        stack = stack.changed(cancelled=stack.cancelled & asked_again)
        used, known = done & ~answered, seen.setdefault((done & answered, stack), [])
        if any(not before & ~used for before in known):
            continue
        known[:] = [before for before in known if used & ~before] + [used]
        following = [index for index in possible(operations, done)
                     if index not in earlier or done >> earlier[index] & 1]
        # The last one is looked at first: what has an answer.
        for index in sorted(following, key=lambda index: operations[index].answer != UNKNOWN):
            todo += [(done | 1 << index, after) for after in stack.after(operations[index])]
    return False


def without_repeated_cancels(operations):
    """Without all cancels of an update that have no answer, but for the earliest: an update is cancelled once."""
    first = {}
    for operation in operations:
        if operation.kind == "cancel" and operation.answer == UNKNOWN:
            other = first.setdefault(operation.update, operation)
            if operation.called < other.called:
                first[operation.update] = operation
    return [operation for operation in operations if operation.kind != "cancel" or operation.answer != UNKNOWN
            or operation is first[operation.update]]


def earlier_alike(operations):
    """For each start without an answer the one before it that can do all that it can: that one is tried first.

    `operations` in the order of their calls. Alike are starts of updates of which nothing is known, and which have the
    same attempts to end them.
    """
    companions = {}
    for operation in operations:
        companions.setdefault(operation.update, []).append(operation)
    last, earlier = {}, {}
    for index, operation in enumerate(operations):
        group = companions[operation.update]
        if operation.kind != "start" or any(other.answer != UNKNOWN or other.kind == "save" for other in group):
            continue
        ends = sorted((other.kind, other.called) for other in group if other is not operation)
        key = (operation.takes_over, tuple(ends))
        if key in last:
            earlier[index] = last[key]
        last[key] = index
    return earlier


def settle(operations, done, stack):
    """Puts first, for it costs nothing, what may come next and changes nothing."""
    changed = True
    while changed:
        changed = False
        for index in possible(operations, done):
            if stack in stack.after(operations[index]):
                done, changed = done | 1 << index, True
    return done, stack


def possible(operations, done):
    """Indexes of the operations that may be the next: called before any other one that is left had returned."""
    left = [index for index in range(len(operations)) if not done >> index & 1]
    first_return = min((operations[index].returned for index in left), default=0)
    return [index for index in left if operations[index].called <= first_return]


def shortest_failure(operations):
    """The shortest beginning that has no order, without what it fails as well without.

    Only operations that change nothing are left out: without a save, the read of what it wrote would be wrong.
    """
    for moment in sorted(operation.returned for operation in operations):
        part = [operation if operation.returned <= moment else
                dataclasses.replace(operation, answer=UNKNOWN, returned=float("inf"))
                for operation in operations if operation.called <= moment]
        if not linearizable(part):
            break
    for operation in list(part):
        if operation.kind == "read" or operation.answer != "ok":
            without = [other for other in part if other is not operation]
            harmless = operation.kind == "read" or operation.answer == "refused"
            if harmless and not linearizable(without):
                part = without
    return sorted(part, key=lambda operation: operation.called)


class History:
    """What was called and answered on one stack, from several threads."""

    def __init__(self):
        self.operations, self.lock = [], threading.Lock()
        self.numbers = itertools.count(1)

    def call(self, kind, update=None, value=None, takes_over=False):
        operation = Operation(kind, update, value, called=time.monotonic_ns(), takes_over=takes_over,
                              client=threading.current_thread().name)
        with self.lock:
            if kind == "start":
                operation.update = "start%d" % next(self.numbers)
            self.operations.append(operation)
        return operation

    @staticmethod
    def answer(operation, answer, value=None):
        """Call it at once when the answer is there."""
        if answer != UNKNOWN:
            operation.returned = time.monotonic_ns()
        if value is not None:
            operation.value = value
        operation.answer = answer

    def problems(self):
        """Nothing, or the shortest failing history as text."""
        # A read without an answer says nothing.
        operations = [operation for operation in self.operations
                      if operation.kind != "read" or operation.answer == "ok"]
        if linearizable(operations):
            return []
        lines = shortest_failure(operations)
        base = lines[0].called
        for line in lines:
            line.called, line.returned = (line.called - base) // 1000, (line.returned - base) / 1000
        return ["NOT LINEARIZABLE:\n    " + "\n    ".join(str(line) for line in lines)]
