import Crypto
import Foundation
import Kernel
import ObjectStorage
import Testing

@Suite("Moving objects")
struct ObjectMoveTests {
    private enum Thing {}
    private let things = ObjectFolder("things")
    private let first: TemporaryFolder
    private let second: TemporaryFolder
    private static let pool = FolderObjectStore.makePool()

    init() throws {
        first = try TemporaryFolder()
        second = try TemporaryFolder()
    }

    private func open(_ folder: TemporaryFolder) throws -> FolderObjectStore {
        try FolderObjectStore(path: folder.path, setting: "PULUMI_LOCAL_OBJECTS", pool: Self.pool)
    }

    private func named(_ number: Int) -> ObjectKey {
        things.object(ID<Thing>(at: Timestamp(seconds: 1), random: [UInt8](repeating: UInt8(number), count: 10)))
    }

    @Test("copies everything once, and then only what is new")
    func copies() async throws {
        let (source, target) = (try open(first), try open(second))
        let large = Random.bytes(17_000_000)
        try await source.put(large, as: things.content(SHA256.hash(large)))
        for number in 0..<256 { try await source.put([UInt8](repeating: 7, count: number), as: named(number)) }
        let move = ObjectMove(from: source, to: target)

        let looked = try await move.run(.look) { _ in }
        let copied = try await move.run(.copy) { _ in }
        let again = try await move.run(.copy) { _ in }
        try await source.put([1, 2, 3], as: things.content(SHA256.hash([1, 2, 3])))
        let later = try await move.run(.copy) { _ in }
        let checked = try await move.run(.check) { _ in }

        #expect((looked.found, looked.copied, looked.present) == (257, 0, 0))
        #expect((copied.found, copied.copied, copied.present) == (257, 257, 0))
        #expect(copied.bytes == large.count + (0..<256).reduce(0, +))
        #expect((again.copied, again.present) == (0, 257))
        #expect((later.copied, later.present) == (1, 257))
        #expect((checked.found, checked.present) == (258, 258))
        #expect(try await target.get(things.content(SHA256.hash(large))) == large)
    }

    @Test("leaves damaged objects where they are, and names them and those that differ")
    func namesProblems() async throws {
        let (source, target) = (try open(first), try open(second))
        let bytes = Random.bytes(1000)
        let damaged = things.content(SHA256.hash(bytes))
        try await source.put(bytes, as: damaged)
        try await source.put([1, 2, 3], as: named(1))
        try await target.put([1, 2, 4], as: named(1))
        try await source.put([1, 2, 3], as: named(2))
        try await target.put([1, 2], as: named(2))
        try spoil(damaged)
        let move = ObjectMove(from: source, to: target)

        let copied = try await move.run(.copy) { _ in }
        let checked = try await move.run(.check) { _ in }

        #expect(copied.damaged == [damaged])
        #expect(copied.different == [named(2)])
        #expect(copied.present == 1)
        #expect(checked.different.sorted() == [named(1), named(2)])
        #expect(try await target.size(of: damaged) == nil)
    }

    @Test("tells how far it is")
    func reports() async throws {
        let (source, target) = (try open(first), try open(second))
        for number in 0..<5 { try await source.put([UInt8(number)], as: named(number)) }
        var reports: [Int] = []

        let tally = try await ObjectMove(from: source, to: target).run(.copy) { reports.append($0.found) }

        #expect(tally.found == 5)
        #expect(reports.last == 5)
    }

    /// Changes the file of an object behind the store's back.
    private func spoil(_ key: ObjectKey) throws {
        let name = try #require(key.contentHex)
        let files = FileManager.default.enumerator(atPath: first.path)?.compactMap { $0 as? String } ?? []
        let path = try #require(files.first { $0.contains(name) })
        let url = URL(fileURLWithPath: "\(first.path)/\(path)")
        var data = try Data(contentsOf: url)
        data[10] ^= 1
        try data.write(to: url)
    }
}
