import Contract
package import HTTPAPI
import HTTPServer

/// `/livez`, `/readyz` and `/api/status`.
package struct StatusRoutes: RouteGroup {
    private let readiness: Readiness

    package init(readiness: Readiness) {
        self.readiness = readiness
    }

    package func register(on routes: inout RouteTable) {
        routes.inline(StatusOperations.Live.self, output: live)
        routes.query(StatusOperations.Ready.self, access: .anonymous, handler: ready)
        routes.query(StatusOperations.Status.self, access: .anonymous, handler: status)
    }

    func live() -> StatusAnswer {
        StatusAnswer("ok")
    }

    func ready(_ call: Call<StatusOperations.Ready>) async -> Reply<StatusAnswer> {
        await answer()
    }

    func status(_ call: Call<StatusOperations.Status>) async -> Reply<StatusAnswer> {
        await answer()
    }

    private func answer() async -> Reply<StatusAnswer> {
        let failed = await readiness.failures()
        guard !failed.isEmpty else { return Reply(StatusAnswer("ok")) }
        return Reply(
            StatusAnswer("unavailable", failed: failed),
            status: .serviceUnavailable,
            headers: [RenderedOutput.Header("Retry-After", "1")]
        )
    }
}
