import Glibc
import HTTPServer
import Kernel
import Synchronization
import Testing

/// All tests that open sockets, one after the other: they measure times and memory of this process.
@Suite("HTTP server", .serialized)
enum SocketTests {}

/// A server on a port of its own, for as long as a test runs.
struct TestServer: Sendable {
    let server: Server
    let port: Int

    func connect() throws -> RawClient {
        try RawClient(port: port)
    }
}

/// Where handlers run, as in the product.
private let requestThreads = TaskThreads(name: "request")

typealias Handler = @Sendable (HTTPRequest) async -> HTTPResponse

/// Runs `body` with a server whose time-outs are looked at often.
func withServer<T: Sendable>(
    _ configure: (inout HTTPServerConfiguration) -> Void = { _ in },
    inline: @escaping @Sendable (HTTPRequestHead) -> HTTPResponse? = { _ in nil },
    handler: @escaping Handler,
    _ body: (TestServer) async throws -> T
) async throws -> T {
    var configuration = HTTPServerConfiguration(addresses: [.init(host: "127.0.0.1", port: 0)])
    configuration.loops = 2
    configuration.executor = requestThreads
    configuration.timeLimits.tick = .milliseconds(20)
    configuration.limits.connectionsPerAddress = 10_000
    configure(&configuration)
    let server = Server(configuration: configuration, inline: inline, handler: handler)
    let port = try server.start()[0]
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await server.run() }
        let result = try await body(TestServer(server: server, port: port))
        group.cancelAll()
        try await group.waitForAll()
        return result
    }
}

/// Runs blocking client code away from the cooperative pool, which the server's handlers need.
func onThread<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
    try await withCheckedThrowingContinuation { continuation in
        NamedThread.start(name: "client") { continuation.resume(with: Result { try work() }) }
    }
}

/// Whether `condition` comes true in time: before the ten seconds after which limits of the server would see to it.
func eventually(within limit: Duration = .seconds(9), _ condition: () -> Bool) async -> Bool {
    let deadline = ContinuousClock.now + limit
    while !condition() {
        if ContinuousClock.now > deadline { return false }
        try? await Task.sleep(for: .milliseconds(2))
    }
    return true
}

/// Says what it was asked: method, target and number of body bytes.
///
/// Breaks off with 400 when the body is broken.
let describe: Handler = { request in
    do {
        var count = 0
        for try await piece in request.body { count += piece.count }
        return HTTPResponse(.ok, body: .bytes(Array("\(request.method) \(request.target) \(count)".utf8)))
    } catch {
        return HTTPResponse(.badRequest, body: .bytes(Array("broken".utf8)))
    }
}

/// Whether the long variants run (`CAIRN_LONG=1`).
let isLong = getenv("CAIRN_LONG") != nil

/// Values that handlers leave for a test to look at.
final class Recorder<Value: Sendable>: Sendable {
    private let list = Locked<[Value]>([])

    func add(_ value: Value) {
        list.withLock { $0.append(value) }
    }

    var values: [Value] { list.withLock { $0 } }
    var count: Int { list.withLock { $0.count } }
}

/// A number that several threads change.
final class Count: Sendable {
    private let number = Atomic(0)

    var value: Int { number.load(ordering: .relaxed) }

    /// Gives the number before.
    @discardableResult
    func add(_ more: Int) -> Int { number.add(more, ordering: .relaxed).oldValue }

    /// Keeps the larger one.
    func raise(to other: Int) { number.max(other, ordering: .relaxed) }
}
