package import Contract
package import Kernel

/// One operation bound to what answers it: data that can be listed, and a handler without generic types.
package struct Route: Sendable {
    package enum Audit: Sendable, Hashable {
        /// It changes nothing.
        case query
        /// It writes this event in the transaction of its change.
        case action(AuditAction)
        /// It changes something and writes none, for this reason.
        case unaudited(String)
        /// Nothing is behind it yet, for this reason.
        case unimplemented(String)
    }

    package let descriptor: OperationDescriptor
    package let template: PathTemplate
    /// The access rule as text.
    package let access: String
    /// The kind of credential it takes; nil when none is looked at.
    ///
    /// Kinds are not interchangeable (S-05): a credential of another kind counts as none.
    package let credential: Credential.Kind?
    package let audit: Audit
    package let intake: BodyIntake
    package let limits: BodyLimits
    /// The answer to every request, given where it came in; nil where a handler has to be awaited.
    let inline: Result<RawReply, any Error>?

    /// Reads the path.
    let bind: @Sendable ([String]) throws(ServiceError) -> BoundRoute

    /// `GET /api/user`.
    package var name: String { "\(descriptor.method.rawValue) \(descriptor.path)" }

    package var isImplemented: Bool {
        if case .unimplemented = audit { false } else { true }
    }
}

/// A route whose path was read: who may go on, and how.
struct BoundRoute: Sendable {
    let requirement: Requirement
    let answer: @Sendable (RawCall) async throws -> RawReply
}

/// A request behind its admission, before its query and body were read.
struct RawCall: Sendable {
    let context: CallContext
    /// What follows the `?`, as sent.
    let query: Substring?
    let content: IncomingBody
}

/// The answer of a handler, before it is encoded.
struct RawReply: Sendable {
    var status: Int
    var output: RenderedOutput
    var warnings: [String]
}

/// How much of a body an operation takes.
package struct BodyLimits: Sendable, Hashable {
    /// As sent.
    package var received: Int
    /// After inflating; also the bound for a body that is not compressed.
    package var inflated: Int

    package init(received: Int, inflated: Int) {
        self.received = received
        self.inflated = inflated
    }

    package init(_ both: Int) {
        self.init(received: both, inflated: both)
    }

    /// A control body: parsed into memory, where a byte may cost twenty.
    package static let json = BodyLimits(8 << 20)
    /// State and what else is streamed.
    package static let rawJSON = BodyLimits(512 << 20)
    package static let raw = BodyLimits(64 << 20)

    static func standard(for intake: BodyIntake) -> BodyLimits {
        switch intake {
        case .none: BodyLimits(0)
        case .json: .json
        case .rawJSON: .rawJSON
        case .raw: .raw
        }
    }
}

/// What a route may say beyond its access and its audit action.
package struct RouteOptions: Sendable {
    /// Nil for the limits of the body's kind.
    package var limits: BodyLimits?
    /// Whether a request without a body counts as one with `{}`.
    package var takesEmptyBody: Bool

    package init(limits: BodyLimits? = nil, takesEmptyBody: Bool = false) {
        self.limits = limits
        self.takesEmptyBody = takesEmptyBody
    }
}
