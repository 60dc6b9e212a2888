import StateStore
import Testing

@Suite("State migrations (kind 10)")
struct MigrationTests {
    private func urn(_ name: String) -> String { "urn:pulumi:dev::shop::pkg:m:A::\(name)" }

    private func resource(_ name: String, more: String = "") -> String {
        #"{"urn":"\#(urn(name))","custom":true,"id":"\#(name)","type":"pkg:m:A"\#(more)}"#
    }

    private func base(_ names: [String], more: String = "") -> String {
        #"{"version":3,"deployment":{"resources":[\#(names.map { resource($0) }.joined(separator: ","))]\#(more)}}"#
    }

    private func migration(_ fields: String, sequence: Int = 50) -> String {
        #"{"version":2,"kind":10,"sequenceID":\#(sequence),"operationID":0,\#(fields)}"#
    }

    private func entry(_ sequence: Int, _ fields: String) -> String {
        #"{"version":1,"sequenceID":\#(sequence),\#(fields)}"#
    }

    /// Folds with the product and with the plain fold and compares; answers the names in order, with marks.
    private func fold(_ base: String, _ entries: [String]) throws -> [String] {
        let document = try JournalScript.fold(base, batches: [entries])
        var naive = NaiveFold(
            try Tree(parsing: base),
            .init(time: "1970-01-01T00:00:00Z", version: "v3.259.0", magic: TestHash.hexadecimal)
        )
        for entry in entries.sorted(by: { number($0) < number($1) }) { try naive.apply(Tree(parsing: entry)) }
        #expect(try Tree(parsing: document.text()) == naive.result)
        return (document.deployment?.resources ?? []).compactMap { resource in
            guard let tree = try? Tree(parsing: resource.bytes) else { return nil }
            return (tree["id"]?.text ?? "?") + (tree["delete"] == .bool(true) ? "!del" : "")
                + (tree["pendingReplacement"] == .bool(true) ? "!pr" : "") + (tree["protect"] == nil ? "" : "!new")
        }
    }

    private func number(_ entry: String) -> Int {
        (try? Tree(parsing: entry))?["sequenceID"]?.int ?? 0
    }

    @Test("seen 3: lay the base out anew: kept, inserted and dropped resources")
    func layout() throws {
        let fields =
            #""states":[\#(resource("x")),\#(resource("y"))],"#
            + #""layout":[{"stateIndex":1},{"baseIndex":2},{"baseIndex":0},{"stateIndex":0}]"#

        #expect(try fold(base(["a", "b", "c"]), [migration(fields)]) == ["y", "c", "a", "x"])
    }

    @Test("patch resources of the base and of the journal")
    func patches() throws {
        let patched = resource("a", more: #","protect":true"#)
        let patchedNew = resource("n", more: #","protect":true"#)
        let fields =
            #""states":[\#(resource("x"))],"layout":[{"baseIndex":0},{"stateIndex":0}],"#
            + #""baseStatePatches":[{"index":0,"state":\#(patched)}],"newStatePatches":[{"operationID":4,"state":\#(patchedNew)}]"#
        let create = entry(2, #""kind":1,"operationID":4,"state":\#(resource("n"))"#)

        #expect(try fold(base(["a", "b"]), [create, migration(fields)]) == ["n!new", "a!new", "x"])
    }

    @Test("translate what was recorded about indices, before and after")
    func translation() throws {
        let fields =
            #""states":[\#(resource("x"))],"layout":[{"stateIndex":0},{"baseIndex":3},{"baseIndex":2},{"baseIndex":1}]"#
        let before = [
            entry(1, #""kind":1,"operationID":1,"removeOld":0"#),
            entry(2, #""kind":1,"operationID":2,"pendingReplacementOld":1"#),
            entry(3, #""kind":1,"operationID":3,"deleteOld":2"#),
            entry(4, #""kind":4,"operationID":4,"removeOld":3,"state":\#(resource("d", more: #","protect":true"#))"#),
        ]
        let after = entry(60, #""kind":1,"operationID":9,"removeOld":0"#)

        #expect(try fold(base(["a", "b", "c", "d"]), before + [migration(fields)]) == ["x", "d!new", "c!del", "b!pr"])
        #expect(
            try fold(base(["a", "b", "c", "d"]), before + [migration(fields), after]) == ["d!new", "c!del", "b!pr"]
        )
    }

    @Test("forget a recorded replacement of a resource that they patch")
    func patchBeatsReplacement() throws {
        let replacement = entry(1, #""kind":4,"operationID":4,"removeOld":0,"state":\#(resource("old"))"#)
        let fields =
            #""states":[\#(resource("x"))],"layout":[{"baseIndex":0},{"stateIndex":0}],"#
            + #""baseStatePatches":[{"index":0,"state":\#(resource("a", more: #","protect":true"#))}]"#

        #expect(try fold(base(["a"]), [replacement, migration(fields)]) == ["a!new", "x"])
    }

    @Test("tolerate a begin without operation")
    func harmlessBegin() throws {
        let fields = #""states":[\#(resource("x"))],"layout":[{"stateIndex":0}]"#

        #expect(try fold(base(["a"]), [entry(1, #""kind":0,"operationID":1"#), migration(fields)]) == ["x"])
    }

    private static let place = #""layout":[{"baseIndex":0},{"baseIndex":1},{"stateIndex":0}]"#

    private static func state(
        _ name: String = "x",
        type: String = "pkg:m:A",
        more: String = "",
        id: String = #","id":"i""#
    ) -> String {
        #""states":[{"urn":"urn:pulumi:dev::shop::pkg:m:A::\#(name)","custom":true,"type":"\#(type)"\#(id)\#(more)}]"#
    }

    @Test(
        "are refused as a whole",
        arguments: [
            (place, "it inserts no state"),
            (#""states":[],\#(place)"#, "it inserts no state"),
            (#""states":[1],\#(place)"#, "an inserted state is no object"),
            (
                #"\#(state()),"layout":[{"baseIndex":0},{"stateIndex":0},{}]"#,
                "a place must name either a base index or a state index"
            ),
            (
                #"\#(state()),"layout":[{"baseIndex":0,"stateIndex":0}]"#,
                "a place must name either a base index or a state index"
            ),
            (#"\#(state()),"layout":[{"baseIndex":2},{"stateIndex":0}]"#, "base index 2 is out of range"),
            (#"\#(state()),"layout":[{"stateIndex":-1}]"#, "state index -1 is out of range"),
            (#"\#(state()),"layout":[{"stateIndex":1}]"#, "state index 1 is out of range"),
            (
                #"\#(state()),"layout":[{"baseIndex":1},{"baseIndex":1},{"stateIndex":0}]"#,
                "base index 1 is placed twice"
            ),
            (#"\#(state()),"layout":[{"stateIndex":0},{"stateIndex":0}]"#, "state index 0 is placed twice"),
            (#"\#(state()),"layout":[{"baseIndex":0}]"#, "an inserted state is not placed"),
            (
                #"\#(state()),"layout":[{"baseIndex":0},{"stateIndex":0}],"baseStatePatches":[{"index":1,"state":{}}]"#,
                "a patch names a base resource that is not kept"
            ),
            (
                #"\#(state()),\#(place),"baseStatePatches":[{"index":1,"state":{}},{"index":1,"state":{}}]"#,
                "base index 1 is patched twice"
            ),
            (#"\#(state()),\#(place),"baseStatePatches":[{"index":1}]"#, "the patch of base index 1 has no state"),
            (
                #"\#(state()),\#(place),"newStatePatches":[{"operationID":7,"state":{}}]"#,
                "a patch names an operation without a resource"
            ),
            (
                #"\#(state()),\#(place),"newStatePatches":[{"operationID":2,"state":{}}]"#,
                "a patch names an operation without a resource"
            ),
            (
                #"\#(state()),\#(place),"newStatePatches":[{"operationID":1,"state":{}},{"operationID":1,"state":{}}]"#,
                "operation 1 is patched twice"
            ),
            (#""states":[{"urn":"x","type":"t"}],\#(place)"#, "an inserted state has an invalid URN"),
            (
                #"\#(state(type: "pkg:m:B")),\#(place)"#,
                "the type of urn:pulumi:dev::shop::pkg:m:A::x differs from its URN's"
            ),
            (
                #"\#(state(more: #","delete":true"#)),\#(place)"#,
                "urn:pulumi:dev::shop::pkg:m:A::x is marked for deletion"
            ),
            (#"\#(state(more: #","viewOf":"u""#)),\#(place)"#, "urn:pulumi:dev::shop::pkg:m:A::x is a view"),
            (#"\#(state(id: "")),\#(place)"#, "urn:pulumi:dev::shop::pkg:m:A::x has no ID"),
            (
                #"\#(state(more: #","extensionRef":"e9""#)),\#(place)"#,
                "urn:pulumi:dev::shop::pkg:m:A::x refers to the unknown extension e9"
            ),
            (
                #"\#(state("a")),\#(place)"#,
                "duplicate resource urn:pulumi:dev::shop::pkg:m:A::a (2 of 2 not marked for deletion)"
            ),
        ]
    )
    func refusals(fields: String, problem: String) throws {
        let journal = [
            entry(1, #""kind":1,"operationID":1,"state":\#(resource("n"))"#),
            entry(2, #""kind":1,"operationID":2,"state":\#(resource("m"))"#),
            entry(3, #""kind":1,"operationID":3,"removeNew":2"#), migration(fields),
        ]

        #expect(
            throws: StateError.journalCorrupt(sequenceID: 50, problem: "the state migration is refused: \(problem)")
        ) {
            try JournalScript.fold(base(["a", "b"]), batches: [journal])
        }
    }

    @Test("are refused twice over one URN")
    func twice() {
        let fields = #""states":[\#(resource("x")),\#(resource("x"))],"layout":[{"stateIndex":0},{"stateIndex":1}]"#

        #expect(throws: StateError.self) { try JournalScript.fold(base(["a"]), batches: [[migration(fields)]]) }
    }

    @Test("know the extensions of base and journal")
    func extensions() throws {
        let stored = base(["a"], more: #","extensions":{"e1":{}}"#)
        let learnt = entry(1, #""kind":8,"operationID":5,"extensionRef":"e2","extension":{}"#)
        for name in ["e1", "e2"] {
            let fields =
                #""states":[\#(resource("x", more: #","extensionRef":"\#(name)""#))],"layout":[{"stateIndex":0}]"#

            #expect(try fold(stored, [learnt, migration(fields)]) == ["x"])
        }
    }

    @Test(
        "are refused without base, over pending operations, and during an operation",
        arguments: [
            (#"{"version":3,"deployment":null}"#, false, "there is no base"),
            (
                #"{"version":3,"deployment":{"pending_operations":[{"resource":{},"type":"creating"}]}}"#, false,
                "the base has pending operations"
            ),
            (#"{"version":3,"deployment":{}}"#, true, "an operation is under way"),
        ]
    )
    func preconditions(base: String, isBusy: Bool, problem: String) {
        let busy = isBusy ? [entry(1, #""kind":0,"operationID":1,"operation":{"resource":{},"type":"creating"}"#)] : []
        let fields = #""states":[\#(resource("x"))],"layout":[{"stateIndex":0}]"#

        #expect(
            throws: StateError.journalCorrupt(sequenceID: 50, problem: "the state migration is refused: \(problem)")
        ) {
            try JournalScript.fold(base, batches: [busy + [migration(fields)]])
        }
    }
}
