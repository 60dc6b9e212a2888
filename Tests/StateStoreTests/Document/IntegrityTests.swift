import StateStore
import Testing

@Suite("Integrity rules (§8.6)")
struct IntegrityTests {
    private static let p = "urn:pulumi:d::p::"

    private func problem(_ body: String) throws -> String? {
        let document = try StateDocument(reading: bytes(#"{"version":3,"deployment":{\#(body)}}"#))
        return IntegrityCheck.firstProblem(of: try #require(document.deployment), hash: TestHash.maker)
    }

    private func problem(resources: String) throws -> String? {
        try problem(#""resources":[\#(resources)]"#)
    }

    @Test(
        "sound lists have no problem",
        arguments: [
            "", #"{"urn":"a","type":"t"}"#,
            #"{"urn":"a","type":"t"},{"urn":"b","type":"t","parent":"a","dependencies":["a"],"deletedWith":"a","replaceWith":["a"],"propertyDependencies":{"x":["a"]}}"#,
            #"{"urn":"a","type":"t","delete":true},{"urn":"a","type":"t"}"#,
            #"{"urn":"a","type":"t"},{"urn":"a","type":"t","delete":true},{"urn":"a","type":"t","delete":true}"#,
            #"{"urn":"a","type":"t","delete":true},{"urn":"a","type":"t","delete":true}"#,
            #"{"urn":"a","type":"t","custom":true,"id":"i"}"#,
            #"{"urn":"a","type":"t","delete":true},{"urn":"b","type":"t","parent":"a"}"#,
            #"{"urn":"a","type":"t","viewOf":"later"}"#,
            #"{"urn":"\#(p)pulumi:providers:x::n","type":"pulumi:providers:x","custom":true,"id":"i"},{"urn":"b","type":"t","provider":"\#(p)pulumi:providers:x::n::i"}"#,
            #"{"urn":"\#(p)pulumi:providers:x::n","type":"pulumi:providers:x"},{"urn":"b","type":"t","provider":"\#(p)pulumi:providers:x::n::04da6b54-80e4-46f7-96ec-b56ff0331ba9"}"#,
            #"{"urn":"b","type":"t","provider":"\#(p)pulumi:providers:x::n::i","pendingReplacement":true}"#,
        ]
    )
    func sound(resources: String) throws {
        #expect(try problem(resources: resources) == nil)
    }

    @Test(
        "each rule has its words",
        arguments: [
            (#"{"type":"t"}"#, "a resource has no URN"), (#"{"urn":"","type":"t"}"#, "a resource has no URN"),
            (#"{"urn":"a"}"#, "resource a has no type"),
            (#"{"urn":"a","type":"t","id":"i"}"#, "component resource a has an ID"),
            (#"{"urn":"x","type":"pulumi:providers:x"}"#, "provider x has an invalid URN"),
            (#"{"urn":"a","type":"t","provider":"bad"}"#, "resource a has an invalid provider reference bad"),
            (#"{"urn":"a","type":"t","provider":"bad::i"}"#, "resource a has an invalid provider reference bad::i"),
            (
                #"{"urn":"b","type":"t","provider":"\#(p)pulumi:providers:x::n::i"},{"urn":"\#(p)pulumi:providers:x::n","type":"pulumi:providers:x","custom":true,"id":"i"}"#,
                "resource b refers to unknown provider \(p)pulumi:providers:x::n::i"
            ),
            (#"{"urn":"a","type":"t","parent":"b"},{"urn":"b","type":"t"}"#, "resource a: its parent b comes after it"),
            (#"{"urn":"a","type":"t","parent":"a"}"#, "resource a: its parent a comes after it"),
            (#"{"urn":"a","type":"t","dependencies":["b"]}"#, "resource a: its dependency b is missing"),
            (
                #"{"urn":"a","type":"t","propertyDependencies":{"x\n":["b"]}}"#,
                "resource a: its dependency of property x\n b is missing"
            ),
            (#"{"urn":"a","type":"t","deletedWith":"b"}"#, "resource a: its deleted-with resource b is missing"),
            (#"{"urn":"a","type":"t","replaceWith":["b"]}"#, "resource a: its replace-with resource b is missing"),
            (
                #"{"urn":"a","type":"t"},{"urn":"a","type":"t"}"#,
                "duplicate resource a (2 of 2 not marked for deletion)"
            ),
            (
                #"{"urn":"a","type":"t"},{"urn":"a","type":"t","delete":true},{"urn":"a","type":"t"}"#,
                "duplicate resource a (2 of 3 not marked for deletion)"
            ),
            (
                #"{"urn":"a","type":"t","delete":true},{"urn":"a","type":"t"},{"urn":"\u0061","type":"t"}"#,
                "duplicate resource a (2 of 3 not marked for deletion)"
            ),
        ]
    )
    func unsound(resources: String, expected: String) throws {
        #expect(try problem(resources: resources) == expected)
    }

    @Test("the magic must be the hash of the version, or both empty")
    func magic() throws {
        let hash = TestHash.hexadecimal("v3.259.0")
        let wrong = "magic cookie mismatch; possible tampering or corruption detected"

        #expect(try problem(#""manifest":{"magic":"\#(hash)","version":"v3.259.0"}"#) == nil)
        #expect(try problem(#""manifest":{"magic":"","version":""}"#) == nil)
        #expect(try problem(#""manifest":{}"#) == nil)
        #expect(try problem(#""manifest":{"magic":"\#(hash)","version":"v3.259.1"}"#) == wrong)
        #expect(try problem(#""manifest":{"magic":"x","version":""}"#) == wrong)
        #expect(try problem(#""manifest":{"magic":"\#(hash.uppercased())","version":"v3.259.0"}"#) == wrong)
    }

    @Test("snippets have different ids")
    func snippets() throws {
        #expect(try problem(#""snippets":[{"uuid":"a"},{"uuid":"b"}]"#) == nil)
        #expect(try problem(#""snippets":[{"uuid":"a"},{"uuid":"a"}]"#) == "duplicate snippet a")
        #expect(try problem(#""snippets":[{"uuid":""}]"#) == "a snippet has no UUID")
        #expect(try problem(#""snippets":[{}]"#) == "a snippet has no UUID")
    }

    @Test("a note of an earlier breach is cleared when the state is sound again")
    func cleared() throws {
        let base = #"{"version":3,"deployment":{"metadata":{"a":1, "integrity_error":{"error":"x"},"b":2}}}"#

        let document = try JournalScript.fold(base, batches: [[JournalScript.entry("1 k6 op0")]])

        #expect(document.deployment?.value("metadata").map { text($0) } == #"{"a":1,"b":2}"#)
    }

    @Test("a note is written over an earlier one")
    func noted() throws {
        let base =
            #"{"version":3,"deployment":{"resources":[{"urn":"a"}],"metadata":{"integrity_error":{"error":"x"}}}}"#

        let document = try JournalScript.fold(base, batches: [])

        let expected = #"{"integrity_error":{"version":"v3.259.0","command":"up","error":"resource a has no type"}}"#
        #expect(document.deployment?.value("metadata").map { text($0) } == expected)
    }
}
