import Foundation
import Kernel
import StateStore
import Testing

@Suite("Journals (assertions 75 to 86)")
struct JournalAssertionTests {
    private let started = ["1 k6 op0", "2 k0 op1 creating_S", "3 k1 op1 state=S@1"].map(JournalScript.entry)

    @Test("75: the same number with other content is refused and replaces nothing")
    func conflict() throws {
        var fold = JournalFold()
        try fold.add(started.map { entry throws(StateError) in try JournalEntry(bytes(entry)) })

        #expect(throws: StateError.sequenceConflict(3)) {
            let other = [JournalScript.entry("4 k7 op0"), JournalScript.entry("3 k1 op1 state=S@9")]
            try fold.add(body: bytes("{\"entries\":[\(other.joined(separator: ","))]}"))
        }
        #expect(fold.count == 3)
        let result = try fold.finish(
            base: StateDocument(reading: bytes(JournalScript.document([]))),
            options: JournalScript.options
        )
        #expect(try JournalScript.describe(result) == ["S@1"])
        #expect(StateError.sequenceConflict(3).serviceError.code == .conflict)
    }

    @Test(
        "a stored batch is walked through to the same entries as one that just came",
        arguments: [
            ("{\"entries\":[@]}", ","), (" {\n\"entries\" : [ @ ] }\n", " ,\n"),
            ("{\"other\":[{}],\"entries\":[@],\"more\":1}", ","),
        ]
    )
    func stored(frame: String, separator: String) throws {
        let entries = started + [started[2]]
        let body = bytes(frame.replacingOccurrences(of: "@", with: entries.joined(separator: separator)))

        let walked = try JournalEntry.stored(body, count: 3)

        #expect(walked.map(\.bytes) == entries.map { bytes($0) })
        #expect(try JournalEntry.batch(body).map(\.bytes) == walked.map(\.bytes))
        #expect(try walked.map(\.stateBytes) == JournalEntry.batch(body).map(\.stateBytes))
        for count in [0, 2, 4] {
            #expect(throws: StateError.self) { try JournalEntry.stored(body, count: count) }
        }
    }

    @Test(
        "a stored batch without entries has none",
        arguments: ["{}", "{\"entries\":[]}", "{\"entries\":null}", "{\"entries\":[ ]}"]
    )
    func storedEmpty(body: String) throws {
        #expect(try JournalEntry.stored(bytes(body), count: 0).isEmpty)
    }

    @Test("75: so are two different entries with one number in one batch")
    func conflictInBatch() {
        var fold = JournalFold()
        let batch = [JournalScript.entry("1 k7 op0"), JournalScript.entry("1 k9 op0")]

        #expect(throws: StateError.sequenceConflict(1)) {
            try fold.add(body: bytes("{\"entries\":[\(batch.joined(separator: ","))]}"))
        }
        #expect(fold.count == 0)
    }

    @Test(
        "77: unknown kinds and versions are refused by name, and the whole batch with them",
        arguments: [
            (#"{"version":1,"kind":42,"sequenceID":9}"#, "journal entry 9 is of the unknown kind 42"),
            (#"{"version":1,"kind":11,"sequenceID":9}"#, "journal entry 9 is of the unknown kind 11"),
            (#"{"version":1,"kind":-1,"sequenceID":9}"#, "journal entry 9 is of the unknown kind -1"),
            (#"{"version":1,"sequenceID":9}"#, "journal entry 9 is of the unknown kind none"),
            (#"{"version":3,"kind":0,"sequenceID":9}"#, "journal entry 9 has the unsupported version 3"),
            (#"{"kind":0,"sequenceID":9}"#, "journal entry 9 has the unsupported version 0"),
            (#"{"version":1,"kind":10,"sequenceID":9}"#, "journal entry 9 is of kind 10, which needs version 2"),
            (#"{"version":1,"kind":0,"sequenceID":0}"#, "a sequenceID must be at least 1"),
            (#"{"version":1,"kind":0}"#, "a sequenceID must be at least 1"),
            (#"{"version":1,"kind":"0","sequenceID":9}"#, "a journal entry has an invalid kind"),
            (#"{"version":1,"kind":1,"sequenceID":9,"removeOld":-1}"#, "a journal entry has an invalid removeOld"),
            (#"{"version":1,"kind":1,"sequenceID":9,"removeNew":1.5}"#, "a journal entry has an invalid removeNew"),
            (#"{"version":1,"kind":1,"sequenceID":9,"state":[]}"#, "a journal entry has an invalid state"),
            (
                #"{"version":1,"kind":0,"sequenceID":9,"operation":{"type":"creating"}}"#,
                "a journal entry has an invalid operation"
            ),
            (
                #"{"version":1,"kind":0,"sequenceID":9,"sequenceID":8}"#,
                "a journal entry has the key 'sequenceID' twice"
            ),
            (#"{"version":1,"kind":5,"sequenceID":9}"#, "journal entry 9: newSnapshot is required"),
            (
                #"{"version":1,"kind":5,"sequenceID":9,"newSnapshot":[]}"#,
                "journal entry 9: newSnapshot is of the wrong type"
            ),
            (
                #"{"version":1,"kind":8,"sequenceID":9,"extensionRef":"x"}"#,
                "journal entry 9: extensionRef and extension are required"
            ),
            (#"{"version":1,"kind":9,"sequenceID":9,"snippets":{}}"#, "journal entry 9: snippets is of the wrong type"),
            (#"{"version":1,"kind":0,"sequenceID":9,"isRefresh":1}"#, "a journal entry has an invalid isRefresh"),
            (#"17"#, "must hold objects"),
        ]
    )
    func refusedEntries(entry: String, problem: String) throws {
        var fold = JournalFold()
        try fold.add(body: bytes("{\"entries\":[\(started.joined(separator: ","))]}"))

        #expect(throws: StateError.invalid(path: "entries", problem: problem)) {
            try fold.add(body: bytes("{\"entries\":[\(JournalScript.entry("4 k7 op0")),\(entry)]}"))
        }
        #expect(fold.count == 3)
    }

    @Test(
        "batches without entries are taken",
        arguments: ["{}", #"{"entries":[]}"#, #"{"entries":null}"#, #"{"more":1}"#]
    )
    func emptyBatches(body: String) throws {
        var fold = JournalFold()

        #expect(try fold.add(body: bytes(body)) == 0)
    }

    @Test(
        "batches of another form are refused",
        arguments: ["", "[]", "null", #"{"entries":{}}"#, #"{"entries":[1]}"#, #"{"entries":[{]}"#]
    )
    func malformedBatches(body: String) {
        var fold = JournalFold()

        let error = #expect(throws: StateError.self) { try fold.add(body: bytes(body)) }
        #expect(error?.serviceError.code == .invalidArgument)
    }

    @Test("78: whatever ended the update, what was acknowledged is in the state")
    func materialises() throws {
        let entries = started + [JournalScript.entry("4 k0 op2 creating_A")]

        let document = try JournalScript.fold(JournalScript.document([]), batches: [entries])

        #expect(try JournalScript.describe(document) == ["S@1"])
        #expect(try JournalScript.describePending(document) == ["creating A"])
    }

    @Test("79: a begin without operation leaves no pending operation")
    func beginOfSame() throws {
        let document = try JournalScript.fold(
            JournalScript.document(["S"]),
            batches: [[JournalScript.entry("1 k0 op1")]]
        )

        #expect(document.deployment?.pendingOperations.isEmpty == true)
        #expect(try JournalScript.describe(document) == ["S"])
    }

    @Test("80: a snippets entry without a list removes the snippets and their feature")
    func snippets() throws {
        let base = #"{"version":4,"features":["snippets-prototype"],"deployment":{"snippets":[{"uuid":"u"}]}}"#
        let kept = try JournalScript.fold(base, batches: [[JournalScript.entry("1 k6 op0")]])
        let removed = try JournalScript.fold(base, batches: [[JournalScript.entry("1 k9 op0")]])

        #expect(kept.version == 4 && kept.features == ["snippets-prototype"])
        #expect(kept.deployment?.value("snippets").map { text($0) } == #"[{"uuid":"u"}]"#)
        #expect(removed.version == 3 && removed.features.isEmpty)
        #expect(removed.deployment?.value("snippets") == nil)
    }

    @Test("81: an entry that needs byte strings gives version 4 and the feature")
    func byteStrings() throws {
        let document = try JournalScript.fold(
            JournalScript.document(["S"]),
            batches: [[JournalScript.entry("1 k0 op1 requiresByteString")]]
        )

        #expect(document.version == 4 && document.features == ["byteString"])
        let empty = try JournalScript.fold(
            JournalScript.document([]),
            batches: [[JournalScript.entry("1 k0 op1 requiresByteString")]]
        )
        #expect(empty.version == 3 && empty.features.isEmpty)
    }

    @Test("81: features of the base that we do not know, and byte strings, are not dropped")
    func featuresOfBase() throws {
        let base =
            #"{"version":4,"features":["byteString","future","taint"],"deployment":{"resources":[{"urn":"a","type":"t"}]}}"#

        let document = try JournalScript.fold(base, batches: [[JournalScript.entry("1 k6 op0")]])

        #expect(document.version == 4 && document.features == ["byteString", "future"])
    }

    @Test("82: the manifest's magic is the hash of its version")
    func magic() throws {
        let document = try JournalScript.fold(JournalScript.document([]), batches: [[JournalScript.entry("1 k6 op0")]])

        let manifest = try Tree(parsing: document.deployment?.value("manifest") ?? [])
        #expect(manifest["version"]?.text == "v3.259.0")
        #expect(manifest["magic"]?.text == "ab35920a3077459b09dd1a3f7ddc28df4e3efc81b3240013bb6906688abc684d")
        #expect(manifest["time"]?.text == "1970-01-01T00:00:00Z")
    }

    @Test("82: without a version of the client the base's version stays")
    func baseVersion() throws {
        let base = #"{"version":3,"deployment":{"manifest":{"version":"v1.2","magic":"x","plugins":[{}]}}}"#
        let options = FoldOptions(time: Timestamp(seconds: 5), hash: TestHash.maker)

        let document = try JournalScript.fold(base, batches: [], options: options)

        let expected = #"{"time":"1970-01-01T00:00:05Z","magic":"\#(TestHash.hexadecimal("v1.2"))","version":"v1.2"}"#
        #expect(document.deployment?.value("manifest").map { text($0) } == expected)
    }

    @Test("83: a journal that changes nothing changes secrets provider and manifest only")
    func emptyJournal() throws {
        let base =
            #"{"version":3,"more":[1],"deployment":{"manifest":{},"later":{ "x":1.0 },"resources":[ {"urn":"a","type":"t"} ],"metadata":{"k":"v"}}}"#

        let document = try JournalScript.fold(base, batches: [[JournalScript.entry("1 k6 op0")]])

        let magic = TestHash.hexadecimal("v3.259.0")
        let manifest = #"{"time":"1970-01-01T00:00:00Z","magic":"\#(magic)","version":"v3.259.0"}"#
        let body =
            #"{"manifest":\#(manifest),"secrets_providers":{"type":"passphrase","state":{"salt":"s"}},"#
            + #""resources":[{"urn":"a","type":"t"}],"metadata":{"k":"v"},"later":{ "x":1.0 }}"#
        #expect(text(document.text()) == #"{"version":3,"more":[1],"deployment":\#(body)}"#)
    }

    @Test("83: an equal secrets provider stays as it is, members that nobody knows included")
    func sameProvider() throws {
        let provider = #"{"state":{"salt":"s"},"type":"passphrase","note":1}"#
        let base = #"{"version":3,"deployment":{"secrets_providers":\#(provider)}}"#

        let document = try JournalScript.fold(base, batches: [[JournalScript.entry("1 k6 op0")]])

        #expect(document.deployment?.value("secrets_providers").map { text($0) } == provider)
    }

    @Test("83: over a stack without any state the entries still fold")
    func nullBase() throws {
        let document = try JournalScript.fold(#"{"version":3,"deployment":null}"#, batches: [started])

        #expect(try JournalScript.describe(document) == ["S@1"])
    }

    @Test(
        "84: an entry that points to nothing stops the fold with an error that names it",
        arguments: [
            ("removeOld=2", "removeOld 2 is outside of the base, which has 2 resources"),
            ("deleteOld=9", "deleteOld 9 is outside of the base, which has 2 resources"),
            ("pendingReplacementOld=2", "pendingReplacementOld 2 is outside of the base, which has 2 resources"),
            ("removeNew=7", "removeNew 7 names an operation that added no resource"),
            ("deleteNew=7", "deleteNew 7 names an operation that added no resource"),
            ("pendingReplacementNew=0", "pendingReplacementNew 0 names an operation that added no resource"),
        ]
    )
    func corruption(pointer: String, problem: String) throws {
        let entries = ["1 k6 op0", "2 k0 op3", "3 k1 op3 \(pointer)"].map(JournalScript.entry)

        let error = #expect(throws: StateError.journalCorrupt(sequenceID: 3, problem: problem)) {
            try JournalScript.fold(JournalScript.document(["S", "A"]), batches: [entries])
        }
        #expect(error?.serviceError.code == .conflict)
    }

    @Test("84: so do refreshes and outputs that point to nothing", arguments: [3, 4])
    func corruptReplacement(kind: Int) {
        for pointer in ["removeOld=1", "removeNew=5"] {
            #expect(throws: StateError.self) {
                let entry = JournalScript.entry("1 k\(kind) op1 \(pointer) state=S@1")
                _ = try JournalScript.fold(JournalScript.document(["S"]), batches: [[entry]])
            }
        }
    }

    @Test("84: indices beyond 32 bits are refused, not wrapped")
    func hugeIndex() {
        #expect(throws: StateError.self) {
            let entry = JournalScript.entry("1 k1 op1 removeOld=\(Int64.max)")
            _ = try JournalScript.fold(JournalScript.document(["S"]), batches: [[entry]])
        }
    }

    @Test("85: time grows with the number of entries and not with its square")
    func linear() throws {
        let isLong = ProcessInfo.processInfo.environment["CAIRN_LONG"] != nil
        let count = isLong ? 10_000 : 500
        let base = JournalScript.document((0..<count).map { "r\($0)" })
        var entries: [String] = []
        for index in 0..<(count * 5) {
            entries.append(JournalScript.entry("\(2 * index + 1) k0 op\(index + 1)"))
            let target = index < count ? "removeOld=\(index)" : "removeNew=\(index + 1 - count)"
            entries.append(
                JournalScript.entry("\(2 * index + 2) k1 op\(index + 1) state=r\(index % count)@\(index) \(target)")
            )
        }
        let batches = stride(from: 0, to: entries.count, by: 100).map {
            Array(entries[$0..<min($0 + 100, entries.count)])
        }

        let document = try JournalScript.fold(base, batches: batches)

        #expect(document.resourceCount == count)
        #expect(try JournalScript.describe(document).last == "r\(count - 1)@\(5 * count - 1)")
    }

    @Test("86: dependents stand behind what they depend on")
    func order() throws {
        guard let vector = JournalVector.all.first(where: { $0.name == "J2" }) else { return }

        let document = try JournalScript.fold(
            JournalScript.document(vector.base),
            batches: [vector.entries.map(JournalScript.entry)]
        )

        let deployment = try #require(document.deployment)
        #expect(IntegrityCheck.firstProblem(of: deployment, hash: TestHash.maker) == nil)
    }
}
