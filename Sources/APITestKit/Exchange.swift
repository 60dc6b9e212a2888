import HTTPAPI
import HTTPServer
import Kernel

/// One request on its way through the pipeline: whether it was admitted, and whether its body was read before that.
final class Exchange: Sendable {
    @TaskLocal static var current: Exchange?

    private struct State: Sendable {
        var wasAdmitted = false
        var wasReadTooEarly = false
    }

    private let body: RequestBody
    private let state = Locked(State())

    init(body: RequestBody) {
        self.body = body
    }

    var wasAdmitted: Bool { state.withLock { $0.wasAdmitted } }

    /// Whether bytes of the body were asked for before anybody knew that the caller may send them.
    var wasReadTooEarly: Bool {
        state.withLock { $0.wasReadTooEarly || (!$0.wasAdmitted && body.wasRead) }
    }

    func noteAdmission() {
        state.withLock { state in
            state.wasAdmitted = true
            state.wasReadTooEarly = body.wasRead
        }
    }
}

/// Tells the exchange when its request is admitted.
struct WatchedAuthorizer: Authorizer {
    let base: any Authorizer

    func admit(
        _ credential: Credential?,
        to requirement: Requirement,
        from address: String
    ) async throws -> Admission {
        let admission = try await base.admit(credential, to: requirement, from: address)
        Exchange.current?.noteAdmission()
        return admission
    }
}
