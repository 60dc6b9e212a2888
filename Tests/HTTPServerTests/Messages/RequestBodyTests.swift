import HTTPServer
import Kernel
import Testing

@Suite("Bodies in memory")
struct RequestBodyTests {
    @Test("a body in memory comes in pieces and notes that it was read")
    func pieces() async throws {
        let body = RequestBody(bytes: Array(0..<10), pieceSize: 4)
        let before = body.wasRead

        var pieces: [[UInt8]] = []
        for try await piece in body { pieces.append(piece) }

        #expect(!before)
        #expect(body.wasRead)
        #expect(pieces == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]])
        #expect(body.length == 10)
    }

    @Test("a second reader goes on where the first one stopped, and the end stays the end")
    func resumed() async throws {
        let body = RequestBody(bytes: Array(0..<10), pieceSize: 4)
        var first = body.makeAsyncIterator()
        _ = try await first.next()

        let rest = try await body.collect(upTo: 100)
        let end = try await first.next()

        #expect(rest == Array(4..<10))
        #expect(end == nil)
    }

    @Test("collecting stops at the limit", arguments: [(10, true), (9, false), (0, false)])
    func limit(_ limit: Int, _ fits: Bool) async throws {
        let chunked = RequestBody { [left = Locked(2)] in
            left.withLock { left in
                left -= 1
                return left >= 0 ? [1, 2, 3, 4, 5] : nil
            }
        }

        let collected = try? await chunked.collect(upTo: limit)

        #expect((collected != nil) == fits)
        #expect(chunked.length == nil)
    }

    @Test("a body that is known to be too large is not begun")
    func notBegun() async throws {
        let body = RequestBody(bytes: [1, 2, 3])

        let error = await #expect(throws: ServiceError.self) { try await body.collect(upTo: 2) }

        #expect(error?.code == .tooLarge)
        #expect(!body.wasRead)
    }

    @Test("an error of the source reaches the reader")
    func failure() async {
        let body = RequestBody { throw ServiceError.missing("x") }

        await #expect(throws: ServiceError.self) { try await body.collect(upTo: 2) }
        #expect(body.wasRead)
    }

    @Test("no body is empty and is never read")
    func empty() async throws {
        let collected = try await RequestBody.empty.collect(upTo: 0)

        #expect(collected.isEmpty)
        #expect(!RequestBody.empty.wasRead)
        #expect(RequestBody.empty.length == 0)
    }

    @Test("an empty body in memory is at its end at once, and notes that it was read")
    func emptyInMemory() async throws {
        let body = RequestBody(bytes: [])

        let collected = try await body.collect(upTo: 0)

        #expect(collected.isEmpty)
        #expect(body.wasRead)
    }

    @Test("a writer for tests gets each piece but empty ones")
    func writer() async throws {
        let pieces = Recorder<[UInt8]>()
        let writer = ResponseWriter { pieces.add($0) }

        try await writer.write([1])
        try await writer.write([])
        try await writer.write([2, 3])

        #expect(pieces.values == [[1], [2, 3]])
    }
}
