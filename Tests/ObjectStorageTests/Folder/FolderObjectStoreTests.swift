import Crypto
import Foundation
import Kernel
import ObjectStorage
import Testing

@Suite("Objects in a folder")
struct FolderObjectStoreTests {
    private let folder: TemporaryFolder
    private static let pool = FolderObjectStore.makePool()
    private let things = ObjectFolder("things")

    init() throws {
        folder = try TemporaryFolder()
    }

    private func open() throws -> FolderObjectStore {
        try FolderObjectStore(path: folder.path, setting: "PULUMI_LOCAL_OBJECTS", pool: Self.pool)
    }

    @Test("do what every store does")
    func conformance() async throws {
        try await ObjectStoreConformance(open()).run()

        #expect(folder.files(in: "objects").isEmpty)
    }

    @Test("are there when the folder is opened again, and for a second instance at once")
    func reopened() async throws {
        let store = try open()
        let other = try open()
        let key = things.content(SHA256.hash([1, 2, 3]))

        try await store.put([1, 2, 3], as: key)

        #expect(try await other.get(key) == [1, 2, 3])
        #expect(try await open().get(key) == [1, 2, 3])
    }

    @Test("leave nothing temporary behind")
    func noTemporaryFiles() async throws {
        let store = try open()

        try await store.put([1, 2, 3], as: things.content(SHA256.hash([1, 2, 3])))
        try await store.put([1, 2, 3], as: things.object(ID<Int>(at: .init(seconds: 1), random: Random.bytes(10))))
        _ = try await store.sweepUnfinished(before: Timestamp(seconds: 0))

        #expect(folder.files(in: "temporary").isEmpty)
    }

    @Test("have names that stay apart on a file system without case")
    func names() async throws {
        let store = try open()

        for number in 0..<50 {
            try await store.put([UInt8(number)], as: things.content(SHA256.hash([UInt8(number)])))
        }

        let files = folder.files(in: "objects")
        #expect(files.count == 50)
        #expect(files.allSatisfy { $0 == $0.lowercased() && $0.utf8.allSatisfy { $0 < 128 } })
        #expect(Set(files.map { $0.prefix(2) }).count == 1, "what belongs together lies together")
    }

    @Test("that are half written by a process that ended long ago are swept out, fresh ones are not")
    func sweeps() async throws {
        _ = try open()
        let old = "\(folder.path)/temporary/1-1-aa"
        let fresh = "\(folder.path)/temporary/1-2-bb"
        for path in [old, fresh] { #expect(FileManager.default.createFile(atPath: path, contents: Data([1]))) }
        let past = Date().addingTimeInterval(-7200)
        try FileManager.default.setAttributes([.modificationDate: past], ofItemAtPath: old)

        _ = try open()

        #expect(folder.files(in: "temporary") == ["1-2-bb"])
    }

    @Test("are not listed when they are none of ours")
    func foreignFiles() async throws {
        let store = try open()
        try await store.put([1], as: things.content(SHA256.hash([1])))
        let shard = try #require(folder.files(in: "objects").first?.prefix(2))
        for name in ["README", "things.Upper", ".hidden", "lost+found"] {
            _ = FileManager.default.createFile(atPath: "\(folder.path)/objects/\(shard)/\(name)", contents: Data([1]))
        }

        let page = try await store.list(in: nil, after: nil, limit: 100)

        #expect(page.objects.map(\.key) == [things.content(SHA256.hash([1]))])
        #expect(page.next == nil)
    }

    @Test("carry the time they were stored")
    func times() async throws {
        let store = try open()

        try await store.put([1], as: things.content(SHA256.hash([1])))
        let stored = try await store.list(in: things, after: nil, limit: 1).objects.first?.stored

        let age = Date().timeIntervalSince1970 - Double(try #require(stored).microseconds) / 1_000_000
        #expect(abs(age) < 60)
    }
}

@Suite("Damaged objects in a folder")
struct DamagedObjectTests {
    private let folder: TemporaryFolder
    private let store: FolderObjectStore
    private let bytes = Random.bytes(600_000)
    private let key: ObjectKey

    init() throws {
        folder = try TemporaryFolder()
        store = try FolderObjectStore(path: folder.path, setting: "X", pool: FolderObjectStore.makePool())
        key = ObjectFolder("things").content(SHA256.hash(bytes))
    }

    /// Ways in which a disk or a person breaks a file.
    enum Damage: String, CaseIterable, Sendable {
        case firstBit, lastBit, middleBit, truncated, extended, empty, zeroedPage, swapped

        func apply(to bytes: [UInt8]) -> [UInt8] {
            var bytes = bytes
            switch self {
            case .firstBit: bytes[0] ^= 1
            case .lastBit: bytes[bytes.count - 1] ^= 0x80
            case .middleBit: bytes[bytes.count / 2] ^= 0x10
            case .truncated: bytes.removeLast()
            case .extended: bytes.append(0)
            case .empty: bytes = []
            case .zeroedPage: for index in 4096..<8192 { bytes[index] = 0 }
            case .swapped: bytes = Random.bytes(bytes.count)
            }
            return bytes
        }
    }

    @Test("are never given out, and named", arguments: Damage.allCases)
    func neverServed(damage: Damage) async throws {
        try await store.put(bytes, as: key)
        try Data(damage.apply(to: bytes)).write(to: URL(fileURLWithPath: #require(folder.onlyObject)))
        let (store, key) = (store, key)

        for read in [
            { _ = try await store.get(key) },
            { _ = try await store.get(key, range: 10..<20) },
            { _ = try await store.stream(key) },
        ] as [() async throws -> Void] {
            let error = await #expect(throws: ServiceError.self) { try await read() }
            #expect(error?.code == .damaged)
            #expect(error?.message.contains(key.description) == true)
        }
    }

    @Test("are healed when the same content is stored again", arguments: Damage.allCases)
    func healed(damage: Damage) async throws {
        try await store.put(bytes, as: key)
        try Data(damage.apply(to: bytes)).write(to: URL(fileURLWithPath: #require(folder.onlyObject)))

        try await store.put(bytes, as: key)

        #expect(try await store.get(key) == bytes)
    }

    @Test("in the middle of a stream end it before its last piece")
    func stream() async throws {
        try await store.put(bytes, as: key)
        let path = try #require(folder.onlyObject)
        let stream = try await store.stream(key)
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.seek(toOffset: 300_000)
        try file.write(contentsOf: Data([bytes[300_000] ^ 1]))
        try file.close()
        var given = 0

        let error = await #expect(throws: ServiceError.self) {
            for try await piece in stream { given += piece.count }
        }

        #expect(error?.code == .damaged)
        #expect(given < bytes.count)
    }

    @Test("are found out when another file, a link, a pipe or a folder has their name")
    func otherKinds() async throws {
        try await store.put(bytes, as: key)
        let path = try #require(folder.onlyObject)
        let secret = "\(folder.path)/secret"
        try Data(bytes).write(to: URL(fileURLWithPath: secret))
        let (store, key) = (store, key)

        for plant in [
            { symlink(secret, path) == 0 }, { mkfifo(path, 0o600) == 0 }, { mkdir(path, 0o700) == 0 },
        ] {
            #expect(remove(path) == 0)
            #expect(plant())
            let error = await #expect(throws: ServiceError.self) { _ = try await store.get(key) }
            #expect(error?.code == .damaged)
        }
    }

    @Test("leave the others readable")
    func contained() async throws {
        try await store.put(bytes, as: key)
        try Data([1]).write(to: URL(fileURLWithPath: #require(folder.onlyObject)))
        let other = ObjectFolder("things").content(SHA256.hash([7]))

        try await store.put([7], as: other)

        #expect(try await store.get(other) == [7])
    }
}
