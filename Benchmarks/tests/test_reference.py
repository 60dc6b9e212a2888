"""The reference replay against the worked vectors of the protocol (cli-protocol.md 23)."""

import hashlib
import json
import unittest

from generator import reference
from generator.reference import Entry, Item, State


def urn(name):
    return f"urn:pulumi:s::p::t:m:R::{name}"


def text(name, v=0, after=(), parent=None):
    """A resource as text; `v` is the marker of who made it."""
    value = {"urn": urn(name), "v": v}
    if after:
        value["dependencies"] = [urn(one) for one in after]
    if parent:
        value["parent"] = urn(parent)
    return json.dumps(value)


def shown(state):
    """A state in the notation of the vectors."""
    lines = []
    for item in state.resources:
        value = item.value
        line = value["urn"].rpartition("::")[2] + (f"@{value['v']}" if value["v"] else "")
        line += "!del" if value.get("delete") else ""
        line += "!pr" if value.get("pendingReplacement") else ""
        line += "<-" + ",".join(one.rpartition("::")[2] for one in value["dependencies"]) if "dependencies" in value else ""
        line += "^" + value["parent"].rpartition("::")[2] if "parent" in value else ""
        lines.append(line)
    return lines, [f"{kind} {item.value['urn'].rpartition('::')[2]}" for kind, item in state.pending]


def begin(sequence, operation, kind=None, name=None):
    return Entry(0, sequence, operation, intention=(kind, text(name)) if kind else None)


J1 = [begin(2, 1, "creating", "S"), Entry(1, 3, 1, text("S", 1)), begin(4, 2, "creating", "A"),
      Entry(1, 5, 2, text("A", 1, parent="S")), Entry(4, 6, 3, text("S", 2), removeNew=1)]
J2 = [begin(2, 1), Entry(1, 3, 1, text("b", 1), removeOld=1), begin(4, 2, "creating", "c"),
      Entry(1, 5, 2, text("c", 1, ["b"]), deleteOld=2), begin(6, 4, "updating", "d"),
      Entry(1, 7, 4, text("d", 1, ["c"]), removeOld=3)]
BASE_2 = [text("a"), text("b", 0, ["a"]), text("c", 0, ["a", "b"]), text("d", 0, ["c"]), text("e", 0, ["c"])]
J3 = [begin(2, 1, "deleting", "A"), Entry(1, 3, 1, pendingReplacementOld=1)]
BASE_4 = [text("S"), text("B", 0, (), "S"), text("A", 0, ["B"], "B"), text("C")]
J4 = [begin(2, 1), Entry(3, 3, 1, removeOld=1, refresh=True), begin(4, 2), Entry(3, 5, 2, text("C", 1), removeOld=3, refresh=True)]
J8 = [begin(1, 1), Entry(3, 2, 1, text("A", 1), removeOld=1, refresh=True)]
VECTORS = {
    "J1": ([], J1, ["S@2", "A@1^S"], []),
    "J1a": ([], J1[:3], ["S@1"], ["creating A"]),
    "J2": (BASE_2, J2, ["b@1", "c@1<-b", "d@1<-c", "a", "c!del<-a,b", "e<-c"], []),
    "J2b": (BASE_2, J2 + [begin(8, 5, "deleting", "c"), Entry(1, 9, 5, removeOld=2)],
            ["b@1", "c@1<-b", "d@1<-c", "a", "e<-c"], []),
    "J3": ([text("S"), text("A")], J3, ["S", "A!pr"], []),
    "J3b": ([text("S"), text("A")], J3 + [begin(4, 2, "creating", "A"), Entry(1, 5, 2, text("A", 1), removeOld=1)],
            ["A@1", "S"], []),
    "J4": (BASE_4, J4, ["S", "A", "C@1"], []),
    "J5": (BASE_4, J4 + [Entry(7, 6), begin(7, 3, "deleting", "C"), Entry(1, 8, 3, removeOld=2)], ["S", "A"], []),
    "J6": ([text("S")], [begin(2, 1), Entry(1, 3, 1, text("S"), removeOld=0), begin(4, 2, "creating", "X"),
                         Entry(1, 5, 2, text("X", 1)), begin(6, 3, "deleting", "X"), Entry(1, 7, 3, removeNew=2)], ["S"], []),
    "J8a": ([text("S"), text("A")], J8 + [begin(3, 2, "creating", "A"), Entry(1, 4, 2, text("A", 2), deleteOld=1)],
            ["A@2", "S", "A@1"], []),
    "J8b": ([text("S"), text("A")], J8 + [begin(3, 2, "deleting", "A"), Entry(1, 4, 2, removeOld=1)], ["S"], []),
    "J9": ([text("S"), text("A", 0, ["Z"])], [begin(1, 1), Entry(1, 2, 1, text("A", 1, ["Z"]), removeOld=1, refresh=True)],
           ["A@1", "S"], []),
}


class Journals(unittest.TestCase):
    def test_vectors(self):
        for name, (base, entries, resources, pending) in VECTORS.items():
            with self.subTest(name):
                keeper = Entry(6, 0, keeper='{"type":"service"}')
                for order in (entries, entries[::-1]):
                    found = reference.replay(State.of_texts(base), [keeper, *order])
                    self.assertEqual(shown(found), (resources, pending))
                    self.assertEqual(found.keeper, '{"type":"service"}')

    def test_pending_operations_of_the_base(self):
        base = State.of_texts([text("S")])
        base.pending = [("creating", Item(text("old"))), ("updating", Item(text("old2")))]
        entries = [begin(2, 1, "creating", "X"), Entry(2, 3, 1, text("X", 1)), begin(4, 2, "deleting", "S")]
        self.assertEqual(shown(reference.replay(base, entries)), (["S"], ["deleting S", "creating old"]))

    def test_what_no_rule_changes_keeps_its_text(self):
        found = reference.replay(State.of_texts(BASE_2), J2)
        self.assertEqual([item.text is None for item in found.resources], [False] * 4 + [True, False])


D1 = ('{"version":3,"deployment":{"manifest":{"time":"2026-01-01T00:00:00Z","magic":"","version":""},"metadata":{},'
      '"resources":[{"urn":"a","custom":false,"type":"t"}]}}').encode()


def edit(first, last, new, line=1, other=1):
    return {"Span": {"start": {"line": line, "column": 1, "offset": first}, "end": {"line": other, "column": 1, "offset": last}},
            "NewText": new}


class Deltas(unittest.TestCase):
    def digest(self, data):
        return hashlib.sha256(data).hexdigest()

    def test_byte_offsets(self):
        self.assertEqual(self.digest(D1), "a300f67df8820bcdb3d6ff83ad0d4967ffac05e1d5b2546ebc01ebf412d69748")
        new = '{"urn":"a","custom":false,"type":"t"},{"urn":"é","custom":false,"type":"t"}'
        second = reference.apply_delta(D1, [edit(121, 158, new)])
        self.assertEqual(self.digest(second), "f5ef167ec0d17f67b7840e900035b9d2c50ab9f4fbf4b865d0453ef5faae4bd0")
        third = reference.apply_delta(second, [edit(197, 197, ',{"urn":"c","custom":false,"type":"t"}')])
        self.assertEqual(self.digest(third), "a9fe4682fd98aa0b14ef444a91e744f661312137011eca225f759b03901d85a7")

    def test_lines(self):
        base = b'{"version":3,"deployment":{"manifest":{},"resources":[\n{"urn":"a"},\n{"urn":"b"}\n]}}'
        self.assertEqual(self.digest(base), "a30291a3dafee0b0b6d7843b9dfc6943a2494abb97590bce8b30bf0f7d334a09")
        found = reference.apply_delta(base, [edit(-1, -1, "", 3, 4), edit(-1, -1, '{"urn":"c"}\n', 4, 4)])
        self.assertEqual(self.digest(found), "be9d44d1afd2c6d86550dcc7d001f2dee41edcf89f29dc23e80d63f03185a9bb")

    def test_edits_out_of_order_or_range_are_refused(self):
        for edits in ([edit(5, 4, "")], [edit(5, 9, ""), edit(8, 10, "")], [edit(0, len(D1) + 1, "")]):
            with self.subTest(edits), self.assertRaises(ValueError):
                reference.apply_delta(D1, edits)


if __name__ == "__main__":
    unittest.main()
