import StateStore
import Testing

@Suite("Checkpoints read while they pass")
struct CheckpointReaderTests {
    private func read(
        _ source: String,
        as form: CheckpointReader.Form,
        step: Int = .max
    ) throws(StateError) -> CheckpointOutline? {
        var reader = CheckpointReader(form, hash: TestHash.maker)
        let text = bytes(source)
        var index = 0
        while index < text.count {
            let end = step < text.count - index ? index + step : text.count
            try reader.feed(text[index..<end])
            index = end
        }
        return try reader.finish()
    }

    private func text(_ outline: CheckpointOutline, of source: String) -> String {
        let frame = outline.frame
        let whole = frame.prefix + Array(source.utf8)[frame.range] + frame.suffix
        #expect(whole.count == frame.textCount)
        return String(decoding: whole, as: UTF8.self)
    }

    private func hash(_ text: String) -> [UInt8] {
        var hash = TestHash()
        hash.update(bytes(text))
        return hash.finalize()
    }

    private static let deployment = #"{ "manifest":{"time":"é"}, "resources":[{"urn":"a"},{"urn":"b","n":1.0E+2}] }"#

    @Test("11.2: of a verbatim one the text is what stands between the brackets", arguments: [1, 7, 64, .max])
    func verbatim(step: Int) throws {
        let document = #"{"version":3, "deployment":\#(Self.deployment)}"#
        let source = #"{"version":3,"untypedDeployment": \#(document) ,"sequenceNumber":12}"#

        let outline = try #require(try read(source, as: .verbatim, step: step))

        #expect(text(outline, of: source) == document)
        #expect(outline.hash == hash(document))
        #expect(outline.resourceCount == 2)
        #expect(outline.sequenceNumber == 12)
    }

    @Test("11.1: of a plain one the text is its export, the deployment to the byte", arguments: [1, 7, 64, .max])
    func plain(step: Int) throws {
        let source = #"{"isInvalid":false,"version":4,"features":["a\"b"],"deployment":\#(Self.deployment),"x":1}"#

        let outline = try #require(try read(source, as: .plain, step: step))

        #expect(text(outline, of: source) == #"{"version":4,"features":["a\"b"],"deployment":\#(Self.deployment)}"#)
        #expect(outline.hash == hash(Self.deployment + #"{"version":4,"features":["a\"b"],"deployment":"#))
        #expect(outline.resourceCount == 2)
        #expect(outline.sequenceNumber == nil)
    }

    @Test("11.1: the envelope may stand behind the deployment, and the deployment may be null")
    func order() throws {
        let behind = #"{"deployment":{"resources":[]},"version":3}"#
        let null = #"{"version":3,"deployment": null }"#

        #expect(
            text(try #require(try read(behind, as: .plain)), of: behind)
                == #"{"version":3,"deployment":{"resources":[]}}"#
        )
        #expect(text(try #require(try read(null, as: .plain)), of: null) == #"{"version":3,"deployment":null}"#)
    }

    @Test("11.1: the call of old clients that marks a state invalid saves nothing, whatever else it holds")
    func invalid() throws {
        for source in [
            #"{"isInvalid":true,"version":0,"deployment":null}"#, #"{"version":9,"isInvalid":true}"#,
            #"{"isInvalid":true,"version":3,"deployment":{"resources":[1]}}"#,
        ] {
            #expect(try read(source, as: .plain) == nil, "\(source)")
        }
    }

    @Test("what is no checkpoint is refused with its path")
    func refused() {
        for (source, form, path) in [
            (#"{"version":3}"#, .plain, "deployment"), (#"{"deployment":null}"#, .plain, "version"),
            (#"{"version":3,"deployment":{"resources":[1]}}"#, .plain, "deployment.resources[0]"),
            (#"{"version":3,"deployment":{"pending_operations":[{}]}}"#, .plain, "deployment.pending_operations[0]"),
            (#"{"version":3,"sequenceNumber":1}"#, .verbatim, "untypedDeployment"),
            (#"{"untypedDeployment":{"version":3,"deployment":null}}"#, .verbatim, "sequenceNumber"),
            (#"{"untypedDeployment":{"version":3,"deployment":null},"sequenceNumber":0}"#, .verbatim, "sequenceNumber"),
            (#"{"untypedDeployment":{"version":3},"sequenceNumber":1}"#, .verbatim, "deployment"),
        ] as [(String, CheckpointReader.Form, String)] {
            let error = #expect(throws: StateError.self, "\(source)") { try read(source, as: form) }
            guard case .invalid(path, _)? = error else {
                Issue.record("\(source) is refused by \(String(describing: error))")
                continue
            }
        }
        for source in ["", "{", #"{"version":3,"deployment":null}}"#, "[]"] {
            #expect(throws: StateError.self, "\(source)") { try read(source, as: .plain) }
        }
    }
}
