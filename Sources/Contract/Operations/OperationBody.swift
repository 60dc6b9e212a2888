/// How the body of a request reaches a handler.
package enum BodyIntake: Sendable {
    /// There is none; what is sent is not read.
    case none
    /// It is collected, parsed, and decoded with `decode(_:)`.
    case json
    /// It is JSON that must not be parsed as a whole; the handler gets its bytes as they arrive.
    case rawJSON
    /// It is something else (YAML, a form, an archive); the handler gets its bytes as they arrive.
    case raw
}

/// The body of a request: a generated model, a list or map of them, or one of the markers below.
package protocol OperationBody: Sendable {
    static var intake: BodyIntake { get }

    /// The body from its JSON; called only where `intake` is `json`.
    static func decode(_ value: JSONValue) throws(WireError) -> Self
}

extension WireDecodable {
    package static var intake: BodyIntake { .json }

    @_semantics("optimize.sil.specialize.generic.never")
    package static func decode(_ value: JSONValue) throws(WireError) -> Self {
        try Self(wire: value, at: .root)
    }
}

/// Marks an operation without a body.
package struct NoBody: OperationBody {
    package static let intake = BodyIntake.none

    package init() {}

    package static func decode(_ value: JSONValue) -> NoBody {
        NoBody()
    }
}

/// Marks a body of JSON that is not parsed as a whole, because its exact bytes count or because it is large.
package struct RawJSONBody: OperationBody {
    package static let intake = BodyIntake.rawJSON

    package init() {}

    package static func decode(_ value: JSONValue) -> RawJSONBody {
        RawJSONBody()
    }
}

/// Marks a body that is not JSON, or need not be.
package struct RawBody: OperationBody {
    package static let intake = BodyIntake.raw

    package init() {}

    package static func decode(_ value: JSONValue) -> RawBody {
        RawBody()
    }
}
