"""The search for an order: histories that have one, and histories that must be refused."""
import unittest

from linearizability import UNKNOWN, History, Operation, linearizable, shortest_failure


def operations(*lines):
    """Each line: call, return (0 for never), kind, update, value, answer."""
    return [Operation(kind, update, value, answer, called, returned or float("inf"))
            for called, returned, kind, update, value, answer in lines]


START = (1, 2, "start", "a", None, "ok")


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
