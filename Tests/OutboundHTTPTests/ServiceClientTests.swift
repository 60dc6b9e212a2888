import HTTPServer
import Kernel
import OutboundHTTP
import Testing
import Transfers

@Suite("Waiting for a service")
struct ServiceClientTests {
    private static let transfers = Transfers()

    @Test("ends with the patience where the service takes requests and says nothing")
    func silence() async throws {
        try await withService(after: .seconds(60)) { url, requests in
            let began = ContinuousClock.now

            let error = await failure(at: url, .init(total: .seconds(2.5), transfer: .seconds(60), body: 100))

            #expect(error?.code == .unavailable)
            // By itself, an attempt may stand still for 10 s.
            #expect(began.duration(to: .now) < .seconds(9.5))
            // On a busy machine the service may see a request after its client has left.
            let limit = ContinuousClock.now + .seconds(60)
            while requests.withLock({ $0 }) < 1, .now < limit { await Task.yield() }
            #expect((1...2).contains(requests.withLock { $0 }))
        }
    }

    @Test("begins no attempt after the patience, however long the one before took")
    func slowness() async throws {
        // The second attempt begins within the patience and ends after it.
        try await withService(after: .seconds(0.7)) { url, requests in
            let patience = ServiceClient.Patience(total: .seconds(1), transfer: .seconds(60), body: 100)

            let response = try await send(to: url, patience, leastAttempt: .seconds(60))

            #expect(response.status == 503)
            #expect((1...2).contains(requests.withLock { $0 }))
        }
    }

    @Test("tries again while there is patience")
    func patience() async throws {
        try await withService(after: .zero, failures: 1) { url, requests in
            let response = try await send(to: url, .init(total: .seconds(60), transfer: .seconds(60), body: 100))

            #expect(response.status == 200)
            #expect(requests.withLock { $0 } == 2)
        }
    }

    @Test("lets an attempt take as long as a test wants, however short the patience is")
    func leastAttempt() async throws {
        try await withService(after: .seconds(1.5)) { url, requests in
            let patience = ServiceClient.Patience(total: .milliseconds(100), transfer: .milliseconds(100), body: 100)

            let response = try await send(to: url, patience, leastAttempt: .seconds(60))

            #expect(response.status == 503)
            #expect(requests.withLock { $0 } == 1)
        }
    }

    private func send(
        to url: String,
        _ patience: ServiceClient.Patience,
        leastAttempt: Duration = .zero
    ) async throws -> TransferResponse {
        let client = ServiceClient(
            try OutboundConfiguration(settings: Settings([:])),
            transfers: Self.transfers,
            leastAttempt: leastAttempt
        )
        return try await client.send(to: "the service", patience) { TransferRequest("GET", url) }
    }

    private func failure(at url: String, _ patience: ServiceClient.Patience) async -> ServiceError? {
        do {
            _ = try await send(to: url, patience)
            return nil
        } catch {
            return error as? ServiceError
        }
    }

    /// A service that answers 503, after a while, and 200 after so many failures.
    private func withService(
        after pause: Duration,
        failures: Int = .max,
        _ body: (String, borrowing Locked<Int>) async throws -> Void
    ) async throws {
        let requests = Locked(0)
        let configuration = HTTPServerConfiguration(addresses: [.init(host: "127.0.0.1", port: 0)])
        let server = Server(configuration: configuration) { _ in
            let number = requests.withLock { count in
                count += 1
                return count
            }
            try? await Task.sleep(for: pause)
            return HTTPResponse(HTTPStatus(number > failures ? 200 : 503))
        }
        let port = try server.start()[0]
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            try await body("http://127.0.0.1:\(port)/", requests)
            group.cancelAll()
            try await group.waitForAll()
        }
    }
}
