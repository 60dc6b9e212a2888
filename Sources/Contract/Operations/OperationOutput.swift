/// The answer of an operation: a generated model, a list or map of them, `NoContent`, `RawOutput`, or one of these with
/// headers of its own.
package protocol OperationOutput: Sendable {
    func render() throws(JSONWriter.Failure) -> RenderedOutput
}

/// An answer in the form in which it is sent.
package struct RenderedOutput: Sendable {
    package enum Content: Sendable {
        case none
        case json([UInt8])
        case raw(RawOutput)
    }

    package struct Header: Sendable, Equatable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package var content: Content
    package var headers: [Header]

    package init(_ content: Content, headers: [Header] = []) {
        self.content = content
        self.headers = headers
    }
}

extension WireEncodable {
    @_semantics("optimize.sil.specialize.generic.never")
    package func render() throws(JSONWriter.Failure) -> RenderedOutput {
        var json = JSONWriter(reserving: 256)
        write(to: &json)
        return RenderedOutput(.json(try json.finish()))
    }
}

/// Success with nothing to say.
package struct NoContent: OperationOutput {
    package init() {}

    package func render() -> RenderedOutput {
        RenderedOutput(.none)
    }
}

/// An answer by its bytes: state, YAML, text, an archive, a stream of events.
package struct RawOutput: OperationOutput {
    package enum Body: Sendable {
        case bytes([UInt8])
        /// Pieces as they become known; the length where it is known beforehand.
        case pieces(any AsyncSequence<[UInt8], any Error> & Sendable, length: Int?)
    }

    package var contentType: String
    /// The coding the bytes are already in (`gzip`), when they are served as they are stored.
    package var contentEncoding: String?
    package var body: Body

    package init(contentType: String, contentEncoding: String? = nil, _ body: Body) {
        self.contentType = contentType
        self.contentEncoding = contentEncoding
        self.body = body
    }

    package init(contentType: String, text: String) {
        self.init(contentType: contentType, .bytes(Array(text.utf8)))
    }

    package func render() -> RenderedOutput {
        RenderedOutput(.raw(self))
    }
}

/// An answer about one revision of an environment, which some clients read from the headers.
package struct Revisioned<Content: OperationOutput>: OperationOutput {
    package var content: Content
    /// The value of `ETag`.
    package var eTag: String
    /// The value of `Pulumi-ESC-Revision`.
    package var revision: Int

    package init(_ content: Content, eTag: String, revision: Int) {
        self.content = content
        self.eTag = eTag
        self.revision = revision
    }

    package func render() throws(JSONWriter.Failure) -> RenderedOutput {
        var rendered = try content.render()
        rendered.headers.append(RenderedOutput.Header("ETag", eTag))
        rendered.headers.append(RenderedOutput.Header("Pulumi-ESC-Revision", String(revision)))
        return rendered
    }
}
