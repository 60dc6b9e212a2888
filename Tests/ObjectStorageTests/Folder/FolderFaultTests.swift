import Crypto
import Foundation
import Kernel
import ObjectStorage
import Synchronization
import Testing

@Suite("Faults of a folder of objects", .timeLimit(.minutes(10)))
struct FolderFaultTests {
    private let folder: TemporaryFolder
    private static let pool = FolderObjectStore.makePool()
    private let things = ObjectFolder("things")

    init() throws {
        folder = try TemporaryFolder()
    }

    /// Makes one step fail while it is armed.
    private final class Fault: Sendable {
        private let armed = Locked<(step: FolderStep, number: Int32)?>(nil)

        func arm(_ step: FolderStep?, _ number: Int32 = EIO) {
            armed.withLock { $0 = step.map { ($0, number) } }
        }

        func hook(_ step: FolderStep) throws(FileFailure) {
            guard let armed = armed.withLock({ $0 }), armed.step == step else { return }
            throw FileFailure(operation: "\(step)", number: armed.number)
        }
    }

    private static let writing = FolderStep.allCases.filter { $0 != .remove }

    @Test(
        "are answered as unavailable, leave no object and nothing temporary, and a retry succeeds",
        arguments: writing,
        [ENOSPC, EIO, EROFS]
    )
    func stepFails(step: FolderStep, number: Int32) async throws {
        let fault = Fault()
        let store = try FolderObjectStore(path: folder.path, setting: "X", pool: Self.pool) {
            (step) throws(FileFailure) in
            try fault.hook(step)
        }
        let bytes = Random.bytes(100_000)
        let keys = [
            things.content(SHA256.hash(bytes)), things.object(ID<Int>(at: .init(seconds: 1), random: Random.bytes(10))),
        ]

        for key in keys {
            for isStream in [false, true] {
                let put = { @Sendable in
                    if isStream {
                        _ = try await store.put(
                            AsyncStream {
                                $0.yield(bytes); $0.finish()
                            },
                            as: key
                        )
                    } else {
                        try await store.put(bytes, as: key)
                    }
                }
                fault.arm(step, number)
                let error = await #expect(throws: ServiceError.self) { try await put() }
                fault.arm(nil)

                #expect(error?.code == .unavailable)
                #expect(error?.message.contains(folder.path) == false)
                #expect(error?.cause is FileFailure)
                #expect(try await store.size(of: key) == nil)
                try await put()
                #expect(try await store.get(key) == bytes)
                try await store.delete([key])
            }
        }
        #expect(folder.files(in: "temporary").isEmpty)
    }

    @Test("of the body's sender leave nothing behind", arguments: [false, true])
    func brokenBody(isCancelled: Bool) async throws {
        struct Gone: Error {}
        let store = try FolderObjectStore(path: folder.path, setting: "X", pool: Self.pool)
        let body = AsyncThrowingStream<[UInt8], any Error> { continuation in
            continuation.yield(Random.bytes(100_000))
            continuation.finish(throwing: isCancelled ? CancellationError() : Gone())
        }

        await #expect(throws: (any Error).self) { try await store.putContent(body, in: things) }

        let deadline = ContinuousClock.now + .seconds(60)
        while !folder.files(in: "temporary").isEmpty, .now < deadline {
            _ = try await store.sweepUnfinished(before: Timestamp(seconds: 0))
        }
        #expect(folder.files(in: "temporary").isEmpty)
        #expect(folder.files(in: "objects").isEmpty)
    }

    @Test("say whether the disk is full or cannot be written")
    func messages() async throws {
        let fault = Fault()
        let store = try FolderObjectStore(path: folder.path, setting: "X", pool: Self.pool) {
            (step) throws(FileFailure) in
            try fault.hook(step)
        }
        let key = things.content(SHA256.hash([1]))

        for (number, message) in [
            (ENOSPC, "The object store is full"), (EDQUOT, "The object store is full"),
            (EROFS, "The object store cannot be written"), (EIO, "The object store does not answer"),
        ] {
            fault.arm(.write, number)
            let error = await #expect(throws: ServiceError.self) { try await store.put([1], as: key) }
            #expect(error?.message == message)
            #expect(error?.retryAfter != nil)
        }
    }

    @Test("in the middle of many objects keep none half written")
    func manyObjects() async throws {
        let fault = Fault()
        let writes = Atomic<Int>(0)
        let store = try FolderObjectStore(path: folder.path, setting: "X", pool: Self.pool) {
            (step) throws(FileFailure) in
            if step == .write, writes.wrappingAdd(1, ordering: .relaxed).newValue == 30 { fault.arm(.write, ENOSPC) }
            try fault.hook(step)
        }
        let objects = (0..<60).map { _ in Random.bytes(5000) }.map {
            NewObject(key: things.content(SHA256.hash($0)), bytes: $0)
        }

        let error = await #expect(throws: ServiceError.self) { try await store.putAll(objects) }
        fault.arm(nil)

        #expect(error?.code == .unavailable)
        for object in objects where try await store.size(of: object.key) != nil {
            #expect(try await store.get(object.key) == object.bytes)
        }
        try await store.putAll(objects)
        for object in objects { #expect(try await store.get(object.key) == object.bytes) }
    }

    @Test(
        "on a really full disk: nothing half written, reads go on, and writes when there is room again",
        .enabled(if: canMount)
    )
    func fullDisk() async throws {
        let mount = try SmallDisk(at: folder.path, megabytes: 4)
        defer { mount.unmount() }
        let store = try FolderObjectStore(path: folder.path, setting: "X", pool: Self.pool)
        var kept: [(ObjectKey, [UInt8])] = []
        var refused = 0

        for _ in 0..<400 where refused < 20 {
            let bytes = Random.bytes(Int.random(in: 1...60_000))
            let key = things.content(SHA256.hash(bytes))
            do {
                try await store.put(bytes, as: key)
                kept.append((key, bytes))
            } catch let error as ServiceError {
                #expect(error.code == .unavailable)
                #expect(try await store.size(of: key) == nil)
                refused += 1
            }
        }

        #expect(refused == 20 && !kept.isEmpty)
        for (key, bytes) in kept { #expect(try await store.get(key) == bytes) }
        try await store.delete(kept.prefix(kept.count / 2).map(\.0))
        let bytes = Random.bytes(60_000)
        try await store.put(bytes, as: things.content(SHA256.hash(bytes)))
        #expect(try await store.get(things.content(SHA256.hash(bytes))) == bytes)
        #expect(folder.files(in: "temporary").isEmpty)
    }

    @Test("on a read-only disk: reads go on, and opening says so with user and mode", .enabled(if: canMount))
    func readOnly() async throws {
        let mount = try SmallDisk(at: folder.path, megabytes: 4)
        defer { mount.unmount() }
        let store = try FolderObjectStore(path: folder.path, setting: "X", pool: Self.pool)
        let key = things.content(SHA256.hash([1]))
        try await store.put([1], as: key)

        try mount.remount("ro")
        let error = await #expect(throws: ServiceError.self) {
            try await store.put([2], as: things.content(SHA256.hash([2])))
        }
        let problem = #expect(throws: ConfigurationError.self) {
            try FolderObjectStore(path: folder.path, setting: "PULUMI_LOCAL_OBJECTS", pool: Self.pool)
        }
        let read = try await store.get(key)
        try mount.remount("rw")

        #expect(error?.message == "The object store cannot be written")
        #expect(read == [1])
        #expect(
            problem?.description.hasPrefix("PULUMI_LOCAL_OBJECTS: cannot use the folder \(folder.path): Read-only")
                == true
        )
        #expect(problem?.description.contains("runs as user \(geteuid())") == true)
        #expect(problem?.description.contains("has mode 01777") == true)
        try await store.put([2], as: things.content(SHA256.hash([2])))
    }

    @Test("of the path are told when it is opened")
    func badPath() throws {
        let file = "\(folder.path)/file"
        #expect(FileManager.default.createFile(atPath: file, contents: nil))

        for (path, reason) in [
            ("\(folder.path)/no/such", "No such file or directory"), (file, "Not a directory"),
            ("\(file)/below", "Not a directory"),
        ] {
            let error = #expect(throws: ConfigurationError.self) {
                try FolderObjectStore(path: path, setting: "PULUMI_LOCAL_OBJECTS", pool: Self.pool)
            }
            let text = error?.description ?? ""
            #expect(text.hasPrefix("PULUMI_LOCAL_OBJECTS: cannot use the folder \(path): \(reason)"))
        }
    }

    @Test("the last folder of the path is made when it is missing")
    func makesFolder() async throws {
        let path = "\(folder.path)/objects-of-mine"

        let store = try FolderObjectStore(path: path, setting: "X", pool: Self.pool)

        try await store.put([1], as: things.content(SHA256.hash([1])))
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o700)
    }
}

/// Whether this process may mount: root in a container that allows it.
///
/// Elsewhere two tests are skipped.
private let canMount: Bool = {
    let path = NSTemporaryDirectory() + "cairn-mount-\(UUID().uuidString)"
    guard mkdir(path, 0o700) == 0 else { return false }
    defer { rmdir(path) }
    guard run("/bin/mount", ["-t", "tmpfs", "none", path]) else { return false }
    return run("/bin/umount", [path])
}()

/// A tmpfs of a few megabytes.
private struct SmallDisk {
    struct Failed: Error {}
    private let path: String

    init(at path: String, megabytes: Int) throws {
        guard run("/bin/mount", ["-t", "tmpfs", "-o", "size=\(megabytes)m", "none", path]) else { throw Failed() }
        self.path = path
    }

    func remount(_ option: String) throws {
        guard run("/bin/mount", ["-o", "remount,\(option)", path]) else { throw Failed() }
    }

    func unmount() {
        _ = run("/bin/umount", ["-l", path])
    }
}

private func run(_ program: String, _ arguments: [String]) -> Bool {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
}
