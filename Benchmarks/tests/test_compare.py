"""The comparison finds whatever is wrong, down to one byte."""

import json
import unittest

from generator import compare, reference
from generator.model import SIZES, Stack, payload
from generator.plan import gzipped

STACK = Stack("o", "p", "s")
TEXTS = STACK.resources(12)
STATE = reference.State.of_texts(TEXTS, STACK.keeper)


class Comparing(unittest.TestCase):
    def test_what_was_sent_is_right(self):
        self.assertEqual(compare.problems(STACK.deployment(TEXTS).encode(), STATE), [])

    def test_every_change_is_found(self):
        whole = STACK.deployment(TEXTS)
        wrong = {
            "one byte of a value": whole.replace(TEXTS[5], TEXTS[5].replace('"revision":0', '"revision":1')),
            "one lost": STACK.deployment(TEXTS[:-1]), "one doubled": STACK.deployment(TEXTS + TEXTS[-1:]),
            "another order": STACK.deployment(TEXTS[:2] + TEXTS[2:][::-1]), "nothing": STACK.deployment([]),
            "another keeper": whole.replace('"owner":"o"', '"owner":"x"'), "no state": "{}", "no JSON": whole[:-1],
            "an operation that nobody began": whole[:-2] + ',"pending_operations":[{"type":"creating","resource":{}}]}}',
        }
        for name, text in wrong.items():
            with self.subTest(name):
                self.assertNotEqual(compare.problems(text.encode(), STATE), [])

    def test_each_byte_counts(self):
        whole = STACK.deployment(TEXTS).encode()
        start = whole.index(TEXTS[3].encode())
        for at in range(start, start + len(TEXTS[3])):
            changed = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:]
            self.assertNotEqual(compare.problems(changed, STATE), [], f"byte {at}")

    def test_other_bytes_of_the_same_value(self):
        other = json.dumps(json.loads(STACK.deployment(TEXTS))).encode()
        self.assertNotEqual(compare.problems(other, STATE), [])
        self.assertEqual(compare.problems(other, STATE, by_bytes=False), [])

    def test_other_bytes_beside_a_changed_resource(self):
        marked = reference.replay(STATE, [reference.Entry(1, 1, 1, deleteOld=3)])
        texts = [item.text or json.dumps(item.value) for item in marked.resources]
        self.assertEqual(compare.problems(STACK.deployment(texts).encode(), marked), [])
        texts[4] = json.dumps(json.loads(texts[4]))
        self.assertNotEqual(compare.problems(STACK.deployment(texts).encode(), marked), [])

    def test_events(self):
        events = [json.loads(STACK.event(number)) for number in range(6)]
        self.assertEqual(compare.event_problems(events, STACK, 6), [])
        for wrong in (events[:5], events[::-1], events[:5] + [{**events[5], "timestamp": 1}]):
            self.assertNotEqual(compare.event_problems(wrong, STACK, 6), [])


class Data(unittest.TestCase):
    def test_classes_have_their_ratios(self):
        for kind, least, most in (("R", 1.2, 1.5), ("T", 2.2, 4), ("X", 100, 100_000)):
            text = "".join(payload(kind, str(number), 120_000) for number in range(2))
            ratio = len(text) / len(gzipped(text.encode()))
            self.assertTrue(least <= ratio <= most, f"{kind}: {ratio:.2f}")

    def test_the_seed_decides(self):
        self.assertEqual(STACK.resources(5), Stack("o", "p", "s").resources(5))
        self.assertNotEqual(STACK.resources(5), Stack("o", "p", "s", seed=2).resources(5))

    def test_a_resource_of_class_t_is_about_1_6_kb_and_each_tenth_has_a_secret(self):
        count, size = SIZES["16 KB"]
        texts = [Stack("o", "p", "s", size=size).resource(number + 2) for number in range(count)]
        self.assertTrue(1400 < sum(map(len, texts)) / count < 1800)
        self.assertEqual(sum("ciphertext" in text for text in texts), 1)


if __name__ == "__main__":
    unittest.main()
