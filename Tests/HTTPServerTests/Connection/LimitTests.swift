import Foundation
import HTTPServer
import Kernel
import Testing

extension SocketTests {
    @Suite("Limits and memory", .serialized)
    struct LimitTests {
        @Test("a connection beyond the limit is told so and closed; when one has left, the next is served")
        func connections() async throws {
            try await withServer(
                {
                    $0.limits.connections = 3
                    // The one beyond may send late, and is to see the end and not a reset.
                    $0.timeLimits.linger = .seconds(60)
                },
                handler: describe
            ) { server in
                let (status, body, end) = try await onThread {
                    let inside = try (0..<3).map { _ in try server.connect() }
                    for client in inside {
                        try client.send(get("/"))
                        _ = try client.response()
                    }
                    let beyond = try server.connect()
                    try beyond.send(get("/"))
                    let response = try beyond.response()
                    defer { withExtendedLifetime(inside) {} }
                    return (response.status, response.text, beyond.rest().end)
                }
                let isFree = await eventually { server.server.counters.activeConnections == 0 }
                let after = try await onThread {
                    let client = try server.connect()
                    try client.send(get("/"))
                    return try client.response().status
                }

                #expect(status == 503)
                #expect(body == "too many connections; try again later\n")
                #expect(end == .closed)
                #expect(isFree)
                #expect(after == 200)
                #expect(server.server.counters.refused[.tooManyConnections] == 1)
            }
        }

        @Test(
            "one address has a limit of its own, unless it is exempt",
            arguments: [
                ([], 503), (["127.0.0.0/8"], 200), (["127.0.0.1"], 200), (["127.0.0.2", "::/0"], 200),
                (["128.0.0.0/1"], 503),
            ]
                as [([String], Int)]
        )
        func perAddress(_ exempt: [String], _ expected: Int) async throws {
            try await withServer(
                {
                    $0.limits.connectionsPerAddress = 2
                    $0.limits.unlimitedAddresses = exempt
                },
                handler: describe
            ) { server in
                let statuses = try await onThread {
                    let clients = try (0..<3).map { _ in
                        let client = try server.connect()
                        try client.send(get("/"))
                        return client
                    }
                    return try clients.map { try $0.response().status }.sorted()
                }

                #expect(statuses == [200, 200, expected])
            }
        }

        @Test("many more connections than the limit are all ended, and the server lives on")
        func flood() async throws {
            try await withServer({ $0.limits.connections = 10 }, handler: describe) { server in
                let served = try await onThread {
                    let clients = try (0..<500).map { _ in try server.connect() }
                    for client in clients { try? client.send(get("/")) }
                    let answers = clients.map { try? $0.response().status }
                    return answers.filter { $0 == 200 }.count
                }
                let isFree = await eventually { server.server.counters.activeConnections == 0 }

                #expect(served == 10)
                #expect(isFree)
                let counters = server.server.counters
                #expect(counters.accepted == 500)
                #expect(counters.refused[.tooManyConnections] == 490)
            }
        }

        @Test("2,000 idle connections take at most 20 MB, and one more is served", arguments: [0, 1])
        func idle(_ requests: Int) async throws {
            raiseDescriptorLimit()
            try await withServer(handler: describe) { server in
                let before = try residentKilobytes()
                let (clients, answered) = try await onThread {
                    let clients = try (0..<2000).map { _ in try server.connect() }
                    for client in clients where requests > 0 { try client.send(post("/", "hello")) }
                    let answered = try clients.filter { try requests == 0 || $0.response().status == 200 }.count
                    return (clients, answered)
                }
                _ = await eventually { server.server.counters.activeConnections == 2000 }
                let growth = try residentKilobytes() - before
                let status = try await onThread {
                    let client = try server.connect()
                    try client.send(get("/"))
                    return try client.response().status
                }

                #expect(answered == 2000)
                #expect(growth <= 20_000 || isWatchedByASan, "\(growth) kB")
                #expect(status == 200)
                withExtendedLifetime(clients) {}
            }
        }

        @Test("a slow handler slows the client down, and memory stays flat")
        func backPressure() async throws {
            let total = isLong ? 1 << 30 : 128 << 20
            let read = Count()
            try await withServer(handler: { request in
                do {
                    for try await piece in request.body {
                        // Slow over the first megabytes; then as fast as it goes.
                        if read.add(piece.count) < 2 << 20 { try await Task.sleep(for: .milliseconds(10)) }
                    }
                } catch {
                    return HTTPResponse(.badRequest)
                }
                return HTTPResponse(.ok)
            }) { server in
                let before = try residentKilobytes()
                let (sent, peak, mostAhead) = (Count(), Count(), Count())
                async let status = onThread {
                    let client = try server.connect()
                    try client.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: \(total)\r\n\r\n")
                    let block = [UInt8](repeating: 97, count: 1 << 16)
                    for _ in 0..<(total >> 16) {
                        try client.send(block)
                        sent.add(block.count)
                        mostAhead.raise(to: sent.value - read.value)
                    }
                    return try client.response(within: 30).status
                }
                _ = await eventually(within: .seconds(60)) {
                    peak.raise(to: (try? residentKilobytes()) ?? .max)
                    return read.value == total
                }

                #expect(try await status == 200)
                #expect(read.value == total)
                #expect(peak.value - before < 16_000 || isWatchedByASan)
                // What is under way lies in the buffers of the two sockets.
                #expect(mostAhead.value < 24 << 20)
            }
        }
    }
}

/// Whether AddressSanitizer is at work: it keeps freed memory for a while.
let isWatchedByASan = dlsym(nil, "__asan_init") != nil

/// What this process holds in memory now.
func residentKilobytes() throws -> Int {
    let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
    let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    return pages * Int(getpagesize()) / 1024
}

/// Both ends of thousands of connections are in this process.
func raiseDescriptorLimit() {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = min(limit.rlim_max, 16_384)
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}
