import Crypto
import Encryption
import Kernel
import Testing

/// A key provider that counts its calls and can be made to fail.
private final class CountingProvider: KeyProvider {
    private struct State {
        var unwraps = 0
        var failure: ServiceError?
    }

    private let state = Locked(State())
    private let local: LocalKeyProvider

    init(_ local: LocalKeyProvider) {
        self.local = local
    }

    var unwraps: Int { state.withLock { $0.unwraps } }

    func fail(_ error: ServiceError?) {
        state.withLock { $0.failure = error }
    }

    var currentVersion: String { local.currentVersion }

    func makeKey(context: [UInt8]) async throws -> (key: SecretBytes, wrapped: WrappedKey) {
        try state.withLock { if let failure = $0.failure { throw failure } }
        return try await local.makeKey(context: context)
    }

    func wrap(_ key: SecretBytes, context: [UInt8]) async throws -> WrappedKey {
        try state.withLock { if let failure = $0.failure { throw failure } }
        return try await local.wrap(key, context: context)
    }

    func unwrap(_ wrapped: WrappedKey, context: [UInt8]) async throws -> SecretBytes {
        try state.withLock { state in
            state.unwraps += 1
            if let failure = state.failure { throw failure }
        }
        return try await local.unwrap(wrapped, context: context)
    }
}

@Suite("Data keys")
struct DataKeysTests {
    private let owner = KeyOwner("stack", stackID)
    private let provider = CountingProvider(LocalKeyProvider(current: Random.key()))

    /// A clock that a test moves.
    private final class ManualTime: Sendable {
        private let time = Locked(Timestamp(seconds: 1000))

        func move(by duration: Duration) { time.withLock { $0 = $0.advanced(by: duration) } }
        @Sendable func now() -> Timestamp { time.withLock { $0 } }
    }

    /// One row with a unique key.
    private final class Table: Sendable {
        let row = Locked<StoredDataKey?>(nil)

        func insertIfAbsent(_ made: StoredDataKey) -> StoredDataKey {
            row.withLock { row in
                if row == nil { row = made }
                return row ?? made
            }
        }
    }

    private let time = ManualTime()

    private func keys(_ provider: (any KeyProvider)? = nil, capacity: Int = 1024) -> DataKeys {
        let effects = Effects(now: time.now, randomBytes: Random.bytes)
        return DataKeys(provider: provider ?? self.provider, effects: effects, capacity: capacity)
    }

    @Test("encrypt values that a later process decrypts")
    func laterProcess() async throws {
        let stored = try await keys().make(for: owner)
        let value = try await keys().cipher(stored, for: owner).encrypt([1, 2, 3])

        let plaintext = try await keys().cipher(stored, for: owner).decrypt(value)

        #expect(plaintext == [1, 2, 3])
        #expect(stored.wrapped.version == provider.currentVersion)
    }

    @Test("do not open for another owner, nor under another id, and that is not the client's fault")
    func bound() async throws {
        let keys = keys()
        let stored = try await keys.make(for: owner)
        let moved = StoredDataKey(id: .init(at: .init(seconds: 1), random: Random.bytes(10)), wrapped: stored.wrapped)
        let other = KeyOwner("stack", ID<Stack>(at: .init(seconds: 1), random: Random.bytes(10)))

        for (key, owner) in [(stored, other), (moved, owner), (stored, KeyOwner("environment", stackID))] {
            let error = await #expect(throws: ServiceError.self) { try await keys.cipher(key, for: owner) }
            #expect(error?.code == .unavailable)
        }
    }

    @Test("are asked for once while they are in use")
    func cached() async throws {
        let keys = keys()
        let stored = try await keys.make(for: owner)

        for _ in 0..<5 { _ = try await keys.cipher(stored, for: owner) }
        #expect(provider.unwraps == 0)
        keys.forgetAllKeys()
        for _ in 0..<5 { _ = try await keys.cipher(stored, for: owner) }

        #expect(provider.unwraps == 1)
    }

    @Test("are forgotten five minutes after their last use, and when the clock is set back")
    func idle() async throws {
        let keys = keys()
        let stored = try await keys.make(for: owner)

        for _ in 0..<4 {
            time.move(by: .seconds(200))
            _ = try await keys.cipher(stored, for: owner)
        }
        #expect(provider.unwraps == 0)
        time.move(by: .seconds(301))
        _ = try await keys.cipher(stored, for: owner)
        #expect(provider.unwraps == 1)
        time.move(by: .seconds(301))
        keys.forgetIdleKeys()
        time.move(by: .seconds(-301))
        _ = try await keys.cipher(stored, for: owner)
        #expect(provider.unwraps == 2)
        time.move(by: .seconds(-10))
        _ = try await keys.cipher(stored, for: owner)
        #expect(provider.unwraps == 3)
    }

    @Test("in use are bounded in number: the least recently used goes first")
    func bounded() async throws {
        let keys = keys(capacity: 8)
        var stored: [StoredDataKey] = []
        for _ in 0..<8 {
            time.move(by: .seconds(1))
            stored.append(try await keys.make(for: owner))
        }
        time.move(by: .seconds(1))
        _ = try await keys.cipher(stored[0], for: owner)

        _ = try await keys.make(for: owner)
        _ = try await keys.cipher(stored[0], for: owner)
        #expect(provider.unwraps == 0)
        _ = try await keys.cipher(stored[1], for: owner)

        #expect(provider.unwraps == 1)
    }

    @Test("in use stay usable while the key service is away; others are unavailable")
    func outage() async throws {
        let keys = keys()
        let used = try await keys.make(for: owner)
        let unused = try await self.keys().make(for: owner)

        provider.fail(.unavailable("The key service does not answer"))

        let value = try await keys.cipher(used, for: owner).encrypt([1])
        #expect(try await keys.cipher(used, for: owner).decrypt(value) == [1])
        for call in [
            { _ = try await keys.cipher(unused, for: owner) }, { _ = try await keys.make(for: owner) },
        ] as [() async throws -> Void] {
            let error = await #expect(throws: ServiceError.self) { try await call() }
            #expect(error?.code == .unavailable)
        }
    }

    @Test("are wrapped anew under a new master key, and values stay as they are")
    func rewrap() async throws {
        let (old, new) = (Random.key(), Random.key())
        let before = keys(LocalKeyProvider(current: old))
        let stored = try await before.make(for: owner)
        let value = try await before.cipher(stored, for: owner).encrypt([7])
        let during = keys(LocalKeyProvider(current: new, older: [old]))
        let after = keys(LocalKeyProvider(current: new))

        let rewrapped = try #require(try await during.rewrap(stored, for: owner))

        #expect(rewrapped.id == stored.id)
        #expect(rewrapped.wrapped.version != stored.wrapped.version)
        #expect(try await during.rewrap(rewrapped, for: owner) == nil)
        #expect(try await before.rewrap(stored, for: owner) == nil)
        #expect(try await during.cipher(stored, for: owner).decrypt(value) == [7])
        #expect(try await after.cipher(rewrapped, for: owner).decrypt(value) == [7])
        let error = await #expect(throws: ServiceError.self) { try await after.cipher(stored, for: owner) }
        #expect(error?.code == .unavailable)
        await #expect(throws: ServiceError.self) { try await after.rewrap(stored, for: owner) }
    }

    @Test("made by 64 at once are all usable by the one row that was kept")
    func race() async throws {
        let keys = keys()
        let table = Table()
        let owner = owner

        let values = try await withThrowingTaskGroup(of: [UInt8].self) { group in
            for number in 0..<64 {
                group.addTask {
                    let made = try await keys.make(for: owner)
                    let kept = table.insertIfAbsent(made)
                    return try await keys.cipher(kept, for: owner).encrypt([UInt8(number)])
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }

        let stored = try #require(table.row.withLock { $0 })
        let cipher = try await self.keys().cipher(stored, for: owner)
        #expect(try Set(values.map { try cipher.decrypt($0) }) == Set((0..<64).map { [UInt8($0)] }))
    }
}

@Suite("Canary")
struct CanaryTests {
    private func keys(_ provider: any KeyProvider) -> DataKeys {
        DataKeys(
            provider: provider,
            effects: Effects(now: { Timestamp(seconds: 1) }, randomBytes: Random.bytes)
        )
    }

    @Test("knows the key that made it, also as an older one, and no other")
    func recognizes() async throws {
        let key = Random.key()
        let canary = try await keys(LocalKeyProvider(current: key)).makeCanary()

        #expect(try await keys(LocalKeyProvider(current: key)).verify(canary))
        #expect(try await keys(LocalKeyProvider(current: Random.key(), older: [key])).verify(canary))
        #expect(try await !keys(LocalKeyProvider(current: Random.key())).verify(canary))
    }

    @Test("is refused when it was changed or made of something else")
    func changed() async throws {
        let keys = keys(LocalKeyProvider(current: Random.key()))
        let canary = try await keys.makeCanary()
        let dataKey = try await keys.make(for: KeyOwner("stack", stackID))

        for index in canary.bytes.indices {
            var bytes = canary.bytes
            bytes[index] ^= 1
            #expect(try await !keys.verify(WrappedKey(version: canary.version, bytes: bytes)))
        }
        #expect(try await !keys.verify(dataKey.wrapped))
        #expect(try await !keys.verify(WrappedKey(version: canary.version, bytes: [])))
    }

    @Test("says nothing while the key service is away")
    func outage() async throws {
        let provider = CountingProvider(LocalKeyProvider(current: Random.key()))
        let canary = try await keys(provider).makeCanary()

        provider.fail(.unavailable("away"))

        let error = await #expect(throws: ServiceError.self) { try await keys(provider).verify(canary) }
        #expect(error?.code == .unavailable)
    }
}

@Suite("Local master keys")
struct LocalKeyProviderTests {
    private let provider = LocalKeyProvider(current: Random.key())

    @Test("unwrap what they wrapped, for the same context only")
    func wraps() async throws {
        let (key, wrapped) = try await provider.makeKey(context: [1, 2])

        let opened = try await provider.unwrap(wrapped, context: [1, 2])

        #expect(ConstantTime.equal(opened, key))
        #expect(key.count == 32)
        for context in [[], [1], [1, 2, 3], [2, 1]] as [[UInt8]] {
            let error = await #expect(throws: ServiceError.self) {
                try await provider.unwrap(wrapped, context: context)
            }
            #expect(error?.code == .damaged)
        }
    }

    @Test("unwrap nothing that was changed")
    func changed() async throws {
        let (_, wrapped) = try await provider.makeKey(context: [])

        for bit in 0..<wrapped.bytes.count * 8 {
            var bytes = wrapped.bytes
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            let changed = WrappedKey(version: wrapped.version, bytes: bytes)
            await #expect(throws: ServiceError.self) { try await provider.unwrap(changed, context: []) }
        }
        for count in 0..<wrapped.bytes.count {
            let changed = WrappedKey(version: wrapped.version, bytes: Array(wrapped.bytes.prefix(count)))
            await #expect(throws: ServiceError.self) { try await provider.unwrap(changed, context: []) }
        }
    }

    @Test("have a fingerprint that tells nothing, and is the same at each start")
    func fingerprint() async throws {
        var bytes = [UInt8](1...32)
        var same = [UInt8](1...32)
        let one = LocalKeyProvider(current: SecretBytes(wiping: &bytes))
        let again = LocalKeyProvider(current: SecretBytes(wiping: &same))

        #expect(one.currentVersion == again.currentVersion)
        #expect(one.currentVersion != provider.currentVersion)
        #expect(one.currentVersion.hasPrefix("local:") && one.currentVersion.utf8.count == 22)
        let error = await #expect(throws: ServiceError.self) {
            try await provider.unwrap(one.makeKey(context: []).wrapped, context: [])
        }
        #expect(error?.code == .notFound)
    }
}
