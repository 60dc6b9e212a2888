import JSONScan
import Kernel
import NoiseTestKit
import StateStore
import Testing

@Suite("Reading and writing documents (assertions 38, 39, 42)")
struct DocumentTests {
    @Test("38: a stack that was never updated has a document that reads, empty and sound")
    func neverUpdated() throws {
        let document = try StateDocument(reading: StateDocument.neverUpdated[...])

        #expect(document.version == 3 && document.resourceCount == 0)
        #expect(IntegrityCheck.firstProblem(of: try #require(document.deployment), hash: TestHash.maker) == nil)
        #expect(document.text() == StateDocument.neverUpdated)
    }

    @Test("39: everything odd survives, byte for byte inside of spans")
    func fidelity() throws {
        let resource =
            #"{"urn":"a", "inputs":{"n":1234567890123456789012345,"d":1.10,"z":-0,"e":{},"l":[],"x":null,"#
            + "\"s\":\"\\u003c\u{2028}😀\\ud800\\u0000\",\"dup\":1,\"dup\":2},\"later\":[ ]}"
        let source =
            #"{"version":4,"features":["taint"],"extra":{"b":1.0},"deployment":{"resources":[\#(resource)],"later":"x"}}"#

        let document = try StateDocument(reading: bytes(source))

        #expect(document.version == 4 && document.features == ["taint"])
        #expect(document.deployment?.resources.map { text($0.bytes) } == [resource])
        let again = try StateDocument(reading: document.text()[...])
        #expect(text(again.text()) == text(document.text()))
        #expect(text(document.text()) == source.replacing(#""later":"x""#, with: #""later":"x""#))
    }

    @Test(
        "42: what is no state is refused",
        arguments: [
            (#"{"version":0,"deployment":null}"#, "version", "must be 1 to 4"),
            (#"{"version":5,"deployment":null}"#, "version", "must be 1 to 4"),
            (#"{"version":"3","deployment":null}"#, "version", "must be 1 to 4"),
            (#"{"version":3.0,"deployment":null}"#, "version", "must be 1 to 4"),
            (#"{"deployment":null}"#, "version", "is required"), (#"{"version":3}"#, "deployment", "is required"),
            (#"{"version":3,"deployment":"x"}"#, "deployment", "must be an object or null"),
            (#"{"version":3,"deployment":[]}"#, "deployment", "must be an object or null"),
            (#"{"version":3,"deployment":{"resources":{}}}"#, "deployment.resources", "must be a list"),
            (
                #"{"version":3,"deployment":{"pending_operations":1}}"#, "deployment.pending_operations",
                "must be a list"
            ),
            (#"{"version":3,"deployment":{"resources":[{},1]}}"#, "deployment.resources[1]", "must be an object"),
            (
                #"{"version":3,"deployment":{"pending_operations":[[]]}}"#, "deployment.pending_operations[0]",
                "must be an object"
            ),
            (#"{"version":3,"features":{},"deployment":null}"#, "features", "must be a list"),
            (#"{"version":3,"features":[1],"deployment":null}"#, "features", "must hold texts only"),
        ]
    )
    func refused(source: String, path: String, problem: String) {
        #expect(throws: StateError.invalid(path: path, problem: problem)) { try StateDocument(reading: bytes(source)) }
        #expect(throws: StateError.invalid(path: path, problem: problem)) {
            try SummaryReader.summary(of: [bytes(source)])
        }
    }

    @Test("42: so is what is no JSON, with the place named")
    func malformed() {
        let error = #expect(throws: StateError.self) { try StateDocument(reading: bytes(#"{"version":3,}"#)) }

        #expect(error?.serviceError.message == "Bad Request: invalid JSON: unexpected '}' at byte 13")
        #expect(error?.serviceError.code == .invalidArgument)
    }

    @Test(
        "pending operations need a resource and a type",
        arguments: ["{}", #"{"resource":{}}"#, #"{"type":"x"}"#, #"{"resource":1,"type":"x"}"#]
    )
    func pendingOperations(operation: String) {
        #expect(throws: StateError.self) {
            try StateDocument(reading: bytes(#"{"version":3,"deployment":{"pending_operations":[\#(operation)]}}"#))
        }
    }

    @Test("null lists and null members are like absent ones")
    func nulls() throws {
        let source =
            #"{"version":3,"features":null,"deployment":{"resources":null,"pending_operations":null,"metadata":null}}"#
        let document = try StateDocument(reading: bytes(source))

        #expect(document.features.isEmpty && document.resourceCount == 0)
        #expect(document.deployment?.value("metadata") == nil)
    }

    @Test("a text in many pieces reads like one in one piece")
    func pieces() throws {
        let source = bytes(JournalScript.document(["a", "b<-a", "c^a"], pending: ["creating d"]))
        let whole = try StateDocument(reading: source).text()

        for step in [1, 7, 64] {
            let pieces = stride(from: 0, to: source.count, by: step).map { source[$0..<min($0 + step, source.count)] }
            #expect(try StateDocument(reading: pieces).text() == whole)
        }
    }

    @Test("a summary counts without keeping")
    func summary() throws {
        let source = JournalScript.document(["a", "b"], pending: ["creating c"])
        let summary = try SummaryReader.summary(of: [bytes(source)])

        #expect(
            summary.version == 3 && summary.hasDeployment && summary.resourceCount == 2
                && summary.pendingOperationCount == 1
        )
        #expect(try !SummaryReader.summary(of: [bytes(#"{"version":1,"deployment":null}"#)]).hasDeployment)
    }

    @Test("64, 72: plain and verbatim bodies give the document, with the exact bytes of the verbatim one")
    func checkpointBodies() throws {
        let inner =
            "{\"version\":3,\"deployment\":{\"resources\":[{\"urn\":\"\\u003cé\\u2028\",\"n\":1234567890123456789012345}]}}"
        var reader = DocumentReader()
        var range = 0..<0
        let body = bytes("{\"version\":3,\"untypedDeployment\": \(inner)\n,\"sequenceNumber\":1}")
        for cut in try Cutter.cut(body, as: .verbatim) {
            if case .opened(.document, let offset) = cut { range = offset..<offset }
            if case .closed(.document, let end) = cut { range = range.lowerBound..<end }
            try reader.take(cut)
        }

        #expect(try reader.finish().resourceCount == 1)
        #expect(text(body[range]) == inner)
        let plain = try StateDocument(
            reading: bytes(#"{"isInvalid":false,"version":3,"deployment":{"resources":[{}]}}"#)
        )
        #expect(plain.resourceCount == 1)
    }

    @Test("the root stack's outputs are those of the resource that is not to be deleted")
    func rootOutputs() throws {
        let root = #"{"urn":"r","type":"pulumi:pulumi:Stack","outputs":{"a":1.0}}"#
        let old = #"{"urn":"r","type":"pulumi:pulumi:Stack","delete":true,"outputs":{"a":2}}"#
        func outputs(_ resources: String) throws -> String? {
            try StateDocument(reading: bytes(#"{"version":3,"deployment":{"resources":[\#(resources)]}}"#)).deployment?
                .rootOutputs
                .map { text($0) }
        }

        #expect(try outputs("\(old),\(root)") == #"{"a":1.0}"#)
        #expect(try outputs(old) == nil)
        #expect(try outputs(#"{"type":"pulumi:pulumi:Stack"}"#) == nil)
        #expect(try outputs(#"{"type":"pulumi:pulumi:Stack","outputs":null}"#) == nil)
        #expect(try outputs("") == nil)
    }

    @Test("random mutations of a document never crash reading, folding, renaming or chunking")
    func mutations() throws {
        let names = StackNames(organization: "o", project: "shop", stack: "dev")
        for seed in 0..<400 as Range<UInt64> {
            var noise = Noise(seed: seed)
            let journal = JournalGenerator.journal(seed: seed)
            var base = Array(FoldTrial(base: journal.base, entries: [], seed: seed).base)
            for _ in 0..<(1 + noise.below(4)) {
                let index = noise.below(base.count)
                if noise.oneIn(2) {
                    base[index] = noise.pick(Array("{}[]\",:\\0ntu ".utf8))
                } else {
                    base.remove(at: index)
                }
            }
            guard let document = try? StateDocument(reading: base[...]) else { continue }
            let fold = JournalFold()
            _ = try fold.finish(base: document, options: FoldTrial.options).text()
            _ = try StackRename(from: names, to: StackNames(organization: "p", project: "q", stack: "r")).apply(
                to: base[...]
            )
            _ = try? DocumentContent(of: [base[...]], importedInto: [names])
            for draft in document.drafts() { _ = draft.piece(hash: TestHash.maker) }
        }
    }
}
