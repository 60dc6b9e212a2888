import Crypto
import Kernel
import ObjectStorage
import Stacks
import StateStore
import TestKit
import Testing

@Suite("Bodies of states that come in pieces")
struct StateIntakeTests {
    private let effects = ManualClock().effects
    private let text = LargeState(1_200)

    @Test("are stored in blocks, however small the pieces are, and say the same as in one piece")
    func blocks() async throws {
        try await withIntake { intake, states, _, writes in
            let body = Array(text.verbatim(7).utf8)

            let (outline, bytes) = try await intake.take(Pieces(body), with: Self.reader, of: effects.id())

            let saved = try #require(outline)
            let stored = try await states.bytes(bytes)
            #expect(saved.hash == Array(SHA256.hash(Array(text.text.utf8)).bytes))
            #expect(saved.sequenceNumber == 7)
            #expect(saved.resourceCount == 1_201)
            #expect(stored == body)
            #expect(body.count > 900_000)
            #expect(writes.value <= 2 + body.count / 262_144)
        }
    }

    @Test("leave nothing behind when they break off", arguments: [70_000, 300_000, 900_000])
    func breaksOff(at end: Int) async throws {
        try await withIntake { intake, _, store, _ in
            let body = Array(text.verbatim(1).utf8)

            await #expect(throws: BrokenOff.self) {
                try await intake.take(Pieces(body, breakingOffAt: end), with: Self.reader, of: effects.id())
            }

            let left = try await store.states()
            #expect(left.isEmpty)
        }
    }

    @Test("leave nothing behind when they are refused, wherever that shows", arguments: [100, 70_000, 900_000])
    func refused(at place: Int) async throws {
        try await withIntake { intake, _, store, _ in
            var body = Array(text.verbatim(1).utf8)
            body[place] = 0

            await #expect(throws: ServiceError.self) {
                try await intake.take(Pieces(body), with: Self.reader, of: effects.id())
            }

            let left = try await store.states()
            #expect(left.isEmpty)
        }
    }

    private static let reader: @Sendable () -> CheckpointReader = { CheckpointReader(.verbatim, hash: StateHash.maker) }

    /// Over a folder that counts how often it is written to.
    private func withIntake(
        _ body: (StateIntake, StateObjects, FolderObjectStore, Tally) async throws -> Void
    ) async throws {
        try await TestFolder.with { folder in
            let writes = Tally()
            let store = try FolderObjectStore(path: folder, setting: "CAIRN_DATA", pool: Pools.files) {
                (step) throws(FileFailure) in
                if step == .write { writes.add() }
            }
            let states = StateObjects(objects: store, effects: effects)
            try await body(StateIntake(objects: states, compute: Pools.compute), states, store, writes)
        }
    }
}

/// A body in pieces of 1,000 bytes.
private struct Pieces: AsyncSequence, Sendable {
    private let body: [UInt8]
    private let end: Int

    init(_ body: [UInt8], breakingOffAt end: Int = .max) {
        self.body = body
        self.end = end
    }

    struct AsyncIterator: AsyncIteratorProtocol {
        var rest: ArraySlice<UInt8>
        let end: Int

        mutating func next() async throws -> ArraySlice<UInt8>? {
            if rest.startIndex >= end { throw BrokenOff() }
            guard !rest.isEmpty else { return nil }
            defer { rest = rest.dropFirst(1_000) }
            return rest.prefix(1_000)
        }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(rest: body[...], end: end)
    }
}

private struct BrokenOff: Error {}
