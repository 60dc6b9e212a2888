import Crypto
import Kernel

/// One bucket that all processes use, or one folder.
///
/// SAFETY: `@unchecked` because it changes; only the thread that runs the seed uses it.
final class Bucket: @unchecked Sendable {
    struct Item {
        var bytes: [UInt8]
        var stored: Timestamp
        /// The process that has it only in its cache so far; nil once it is durable.
        var unsynced: Process?
    }

    var items: [String: Item] = [:]
    /// Until then no body is wrong: one that is read again is right, and so is what is read with it.
    var soundUntil: Int64 = 0
    /// Called with what is about to be deleted.
    var observeDelete: ([String], Request?) -> Void = { _, _ in }

    func isDurable(_ key: String) -> Bool {
        guard let item = items[key] else { return false }
        return item.unsynced == nil
    }

    /// What a process has not made durable is lost with it, or not.
    func lose(by process: Process, _ isLost: () -> Bool) {
        for key in items.keys.sorted() where items[key]?.unsynced === process {
            if isLost() { items[key] = nil } else { items[key]?.unsynced = nil }
        }
    }
}

/// The way of one process to the bucket.
///
/// SAFETY: as `Bucket`.
final class SimulatedObjects: ObjectStore, @unchecked Sendable {
    private let world: World
    private let process: Process
    private var bucket: Bucket { world.bucket }

    init(_ world: World, _ process: Process) {
        self.world = world
        self.process = process
    }

    // MARK: - Writing

    func put(_ bytes: [UInt8], as key: ObjectKey) async throws {
        try process.checkAlive()
        if world.mutation == .rowBeforeObject {
            let (world, process) = (world, process)
            world.scheduler.after(world.scheduler.numbers.within(1_000...200_000)) {
                let isDone = process.isAlive && world.faults.fateOfObject() != .refused
                if isDone { world.bucket.items[key.description] = Self.item(bytes, in: world, unsynced: nil) }
            }
            return
        }
        let fate = world.faults.fateOfObject()
        try await send { [self] in
            guard fate != .refused else { throw ServiceError.unavailable("simulated: the store is away") }
            if bucket.items[key.description]?.bytes ?? bytes != bytes {
                throw ServiceError(.conflict, "simulated: another content is there")
            }
            bucket.items[key.description] = Self.item(bytes, in: world, unsynced: process)
        }
        if world.mutation == .answersBeforeSync {
            let world = world
            world.scheduler.after(world.scheduler.numbers.within(100_000...20_000_000)) {
                world.bucket.items[key.description]?.unsynced = nil
            }
        } else {
            try await send { [self] in bucket.items[key.description]?.unsynced = nil }
        }
        if fate == .lostDone { throw ServiceError.unavailable("simulated: no answer of the store") }
    }

    func putAll(_ objects: [NewObject]) async throws {
        for object in objects { try await put(object.bytes, as: object.key) }
    }

    func put<Body: AsyncSequence>(_ body: Body, as key: ObjectKey) async throws -> Int where Body.Element == [UInt8] {
        let bytes = try await Self.collect(body)
        try await put(bytes, as: key)
        return bytes.count
    }

    func putContent<Body: AsyncSequence>(_ body: Body, in folder: ObjectFolder) async throws -> StoredContent
    where Body.Element == [UInt8] {
        let bytes = try await Self.collect(body)
        let key = folder.content(hex: SHA256.hash(bytes).hex)
        try await put(bytes, as: key)
        return StoredContent(key: key, size: bytes.count)
    }

    func delete(_ keys: [ObjectKey]) async throws {
        let fate = world.faults.fateOfObject()
        let request = Request.current
        try await send { [self] in
            guard fate != .refused else { throw ServiceError.unavailable("simulated: the store is away") }
            let there = keys.map(\.description).filter { bucket.items[$0] != nil }
            guard !there.isEmpty else { return }
            bucket.observeDelete(there, request)
            for key in there { bucket.items[key] = nil }
        }
        if fate == .lostDone { throw ServiceError.unavailable("simulated: no answer of the store") }
    }

    // MARK: - Reading

    func get(_ key: ObjectKey) async throws -> [UInt8] {
        let fate = world.faults.fateOfObject()
        let isWrong = world.scheduler.now >= bucket.soundUntil && world.faults.happens(.objectBodyWrong)
        if isWrong { bucket.soundUntil = world.scheduler.now + 120_000_000 }
        let at = isWrong ? world.scheduler.numbers.below(1 << 20) : 0
        return try await send { [self] in
            guard fate == .good else { throw ServiceError.unavailable("simulated: the store is away") }
            guard let item = bucket.items[key.description] else {
                throw ServiceError(.notFound, "simulated: \(key) is not there")
            }
            guard isWrong, !item.bytes.isEmpty else { return item.bytes }
            guard key.contentHex == nil else { throw ServiceError(.damaged, "simulated: \(key) is damaged") }
            var bytes = item.bytes
            bytes[at % bytes.count] ^= 0x10
            return bytes
        }
    }

    func get(_ key: ObjectKey, range: Range<Int>) async throws -> [UInt8] {
        let bytes = try await get(key)
        return Array(bytes[range.clamped(to: 0..<bytes.count)])
    }

    func stream(_ key: ObjectKey) async throws -> ObjectStream {
        let bytes = try await get(key)
        let rest = Locked(bytes[...])
        let share = world.scheduler.numbers.within(100...4000)
        return ObjectStream(size: bytes.count) { [self] in
            try process.checkAlive()
            let piece = rest.withLock { rest in
                defer { rest = rest.dropFirst(share) }
                return Array(rest.prefix(share))
            }
            return piece.isEmpty ? nil : piece
        }
    }

    func size(of key: ObjectKey) async throws -> Int? {
        try await send { [self] in bucket.items[key.description]?.bytes.count }
    }

    /// Objects come whole here.
    func sweepUnfinished(before time: Timestamp) async throws -> Int { 0 }

    func list(in folder: ObjectFolder?, after cursor: String?, limit: Int) async throws -> ObjectPage {
        let fate = world.faults.fateOfObject()
        return try await send { [self] in
            guard fate == .good else { throw ServiceError.unavailable("simulated: the store is away") }
            let keys = bucket.items.keys.sorted().filter { $0 > cursor ?? "" }
            let infos = keys.prefix(limit).compactMap { text -> ObjectInfo? in
                guard let key = ObjectKey(text), let item = bucket.items[text], folder?.contains(key) ?? true else {
                    return nil
                }
                return ObjectInfo(key: key, size: item.bytes.count, stored: item.stored)
            }
            return ObjectPage(objects: infos, next: keys.count > limit ? keys[limit - 1] : nil)
        }
    }

    // MARK: - The way

    private static func item(_ bytes: [UInt8], in world: World, unsynced: Process?) -> Bucket.Item {
        Bucket.Item(bytes: bytes, stored: world.time, unsynced: unsynced)
    }

    private static func collect<Body: AsyncSequence>(_ body: Body) async throws -> [UInt8]
    where Body.Element == [UInt8] {
        var bytes: [UInt8] = []
        for try await piece in body { bytes += piece }
        return bytes
    }

    /// As that of the driver; a process that is dead changes nothing here, what it had begun was unsynced.
    private func send<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
        try process.checkAlive()
        try Task.checkCancellation()
        let (scheduler, faults, process) = (world.scheduler, world.faults, process)
        let (there, back) = (faults.delay(slow: .objectSlow), faults.delay(slow: .objectSlow))
        let result = await withUnsafeContinuation { (continuation: UnsafeContinuation<Result<T, any Error>, Never>) in
            scheduler.after(there) {
                guard process.isAlive else { return continuation.resume(returning: .failure(ProcessDied())) }
                let result = Result { try work() }
                scheduler.after(back) { continuation.resume(returning: result) }
            }
        }
        try process.checkAlive()
        return try result.get()
    }
}
