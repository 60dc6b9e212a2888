"""The search for an order: histories that have one, and histories that must be refused."""
import itertools
import random
import unittest

from linearizability import UNKNOWN, History, Operation, Stack, linearizable, shortest_failure


def operations(*lines):
    """Each line: call, return (0 for never), kind, update, value, answer."""
    return [Operation(kind, update, value, answer, called, returned or float("inf"))
            for called, returned, kind, update, value, answer in lines]


START = (1, 2, "start", "a", None, "ok")


def by_trying_all(history):
    """Whether there is an order, found out without any cleverness; for a few operations."""
    answered = [operation for operation in history if operation.answer != UNKNOWN]
    unknown = [operation for operation in history if operation.answer == UNKNOWN]
    for count in range(len(unknown) + 1):
        for happened in itertools.combinations(unknown, count):
            for order in itertools.permutations(answered + list(happened)):
                if in_time(order) and leads_somewhere(order):
                    return True
    return False


def in_time(order):
    return all(earlier.called <= later.returned for earlier, later in itertools.combinations(order, 2))


def leads_somewhere(order):
    stacks = [Stack()]
    for operation in order:
        stacks = [after for stack in stacks for after in stack.after(operation)]
    return bool(stacks)


class Clients:
    """A stack that works, several clients at once, and a server that dies: then what was asked has no answer."""

    def __init__(self, seed, clients, turns, deaths):
        self.choice, self.stack, self.moment = random.Random(seed), Stack(), 0
        self.operations, self.waiting, self.tokens = [], {}, {}
        left = {client: turns for client in range(clients)}
        while any(left.values()) or self.waiting:
            client = self.choice.choice([client for client in left if left[client] or client in self.waiting])
            if client in self.waiting:
                self.answer(client)
            else:
                left[client] -= 1
                self.call(client)
            if self.choice.random() < deaths:
                self.die()

    def now(self):
        self.moment += 1
        return self.moment

    def call(self, client):
        update = self.tokens.get(client)
        kind = self.choice.choice(("save", "save", "complete", "read") if update else ("start", "start", "read", "cancel"))
        if kind == "cancel":
            # Whoever holds it; one whose start was not answered is guessed at, as the contest does.
            known = self.stack.holder if self.stack.holder in self.tokens.values() else None
            unknown = [other.update for other in self.operations if other.kind == "start" and other.answer == UNKNOWN]
            if known is None and self.stack.holder:
                self.stack = self.stack.changed(holder=None)
                for guess in unknown:
                    self.operations.append(Operation("cancel", guess))
            if known is None:
                return
            update = known
        called = self.now()
        value = "v%d" % called if kind == "save" else None
        update = "u%d" % called if kind == "start" else update
        operation = Operation(kind, None if kind == "read" else update, value, called=called)
        self.operations.append(operation)
        self.waiting[client] = operation

    def act(self, operation):
        """What the stack does: its answer, and what a read sees."""
        if operation.kind == "read":
            return "ok", self.stack.text
        if operation.kind == "cancel" and operation.update in self.stack.cancelled:
            return "ok", None
        outcomes = self.stack.outcomes(operation)
        self.stack = outcomes[0] if outcomes else self.stack
        return "ok" if outcomes else "refused", operation.value

    def answer(self, client):
        operation = self.waiting.pop(client)
        operation.answer, operation.value = self.act(operation)
        operation.returned = self.now()
        if operation.kind == "start" and operation.answer == "ok":
            self.tokens[client] = operation.update
        elif operation.kind == "complete" or operation.answer == "refused":
            self.tokens.pop(client, None)

    def die(self):
        for operation in self.waiting.values():
            if self.choice.random() < 0.5:
                self.act(operation)
        self.waiting = {}


class LinearizabilityTests(unittest.TestCase):
    def test_one_update_after_the_other(self):
        self.assertTrue(linearizable(operations(
            START, (3, 4, "save", "a", "v1", "ok"), (5, 6, "read", None, "v1", "ok"),
            (7, 8, "complete", "a", None, "ok"), (9, 10, "start", "b", None, "ok"))))

    def test_two_updates_that_hold_the_stack_at_once(self):
        self.assertFalse(linearizable(operations(START, (1, 4, "start", "b", None, "ok"))))

    def test_two_starts_at_once_of_which_one_is_refused(self):
        self.assertTrue(linearizable(operations(START, (1, 4, "start", "b", None, "refused"))))

    def test_a_refused_start_of_a_stack_that_nobody_holds(self):
        self.assertFalse(linearizable(operations((1, 2, "start", "a", None, "refused"))))

    def test_a_read_of_what_was_there_before_an_acknowledged_save(self):
        self.assertFalse(linearizable(operations(
            START, (3, 4, "save", "a", "v1", "ok"), (5, 6, "read", None, None, "ok"))))

    def test_a_read_beside_a_save_may_see_either(self):
        for seen in (None, "v1"):
            self.assertTrue(linearizable(operations(
                START, (3, 6, "save", "a", "v1", "ok"), (4, 5, "read", None, seen, "ok"))))

    def test_two_reads_that_go_back_in_time(self):
        self.assertFalse(linearizable(operations(
            START, (3, 9, "save", "a", "v1", "ok"), (4, 5, "read", None, "v1", "ok"),
            (6, 7, "read", None, None, "ok"))))

    def test_a_save_after_the_cancel_of_its_update(self):
        cancel = (3, 4, "cancel", "a", None, "ok")
        self.assertFalse(linearizable(operations(START, cancel, (5, 6, "save", "a", "v1", "ok"))))
        self.assertTrue(linearizable(operations(START, cancel, (5, 6, "save", "a", "v1", "refused"))))

    def test_a_save_without_an_answer_may_have_happened_or_not(self):
        save = (3, 0, "save", "a", "v1", UNKNOWN)
        for seen in (None, "v1"):
            self.assertTrue(linearizable(operations(START, save, (5, 6, "read", None, seen, "ok"))))

    def test_a_save_without_an_answer_does_not_happen_twice(self):
        self.assertFalse(linearizable(operations(
            START, (3, 0, "save", "a", "v1", UNKNOWN), (5, 6, "save", "a", "v2", "ok"),
            (7, 8, "read", None, "v1", "ok"), (9, 10, "read", None, "v2", "ok"), (11, 12, "read", None, "v1", "ok"))))

    def test_a_start_without_an_answer_may_hold_the_stack(self):
        self.assertTrue(linearizable(operations(
            (1, 0, "start", "a", None, UNKNOWN), (3, 4, "start", "b", None, "refused"))))

    def test_a_value_that_nobody_wrote(self):
        self.assertFalse(linearizable(operations(START, (3, 4, "read", None, "v9", "ok"))))

    def test_only_an_update_that_may_take_over_ends_another_one(self):
        second = Operation("start", "b", None, "ok", 3, 4, takes_over=True)
        late = operations((5, 6, "save", "a", "v1", "ok"))
        self.assertTrue(linearizable(operations(START) + [second]))
        self.assertFalse(linearizable(operations(START) + [second] + late))

    def test_many_clients_at_once_are_searched_quickly(self):
        refused = [(1, 100, "start", "r%d" % number, None, "refused") for number in range(200)]
        reads = [(1, 100, "read", None, None, "ok") for _ in range(200)]
        self.assertTrue(linearizable(operations((1, 100, "start", "a", None, "ok"), *refused, *reads)))

    def test_the_search_finds_what_trying_all_orders_finds(self):
        verdicts = []
        for seed in range(1500):
            history = Clients(seed, clients=3, turns=2, deaths=0.1).operations
            choice = random.Random(seed)
            if seed % 3 and history:
                # A wrong answer: mostly there is no order any more.
                wrong = choice.choice(history)
                wrong.answer = {"ok": "refused", "refused": "ok", UNKNOWN: "ok"}[wrong.answer]
            if len(history) <= 7:
                verdicts.append(linearizable(history))
                self.assertEqual(verdicts[-1], by_trying_all(history), "seed %d" % seed)
        self.assertGreater(verdicts.count(True), 100)
        self.assertGreater(verdicts.count(False), 100)

    def test_what_a_working_stack_answers_has_an_order_however_often_a_server_dies(self):
        for seed in range(60):
            history = Clients(seed, clients=16, turns=30, deaths=0.03).operations
            self.assertTrue(linearizable(history), "seed %d" % seed)

    def test_the_shortest_failure_has_nothing_that_is_not_needed(self):
        good = [(2 * number, 2 * number + 1, "read", None, None, "ok") for number in range(10)]
        history = operations(*good, (21, 22, "start", "a", None, "ok"), (23, 24, "start", "b", None, "ok"),
                             (25, 26, "read", None, None, "ok"))

        shortest = shortest_failure(history)

        self.assertEqual([(part.kind, part.update) for part in shortest], [("start", "a"), ("start", "b")])

    def test_a_history_says_what_is_wrong(self):
        history = History()
        for _ in range(2):
            history.answer(history.call("start"), "ok")

        self.assertIn("NOT LINEARIZABLE", history.problems()[0])


if __name__ == "__main__":
    unittest.main()
