import Crypto
package import Kernel

/// A data key as a row of the database: wrapped, and useless without the master key.
package struct StoredDataKey: Sendable, Equatable {
    package let id: DataKeyID
    package let wrapped: WrappedKey

    package init(id: DataKeyID, wrapped: WrappedKey) {
        self.id = id
        self.wrapped = wrapped
    }
}

/// Makes data keys and opens them, over whoever holds the master key.
///
/// Rows are the caller's. When two callers make the first key of a stack at once, the one whose row was inserted counts:
/// read it again and use that one.
package struct DataKeys: Sendable {
    private let provider: any KeyProvider
    private let effects: Effects
    private let cache: KeyCache

    /// - Parameters:
    ///   - capacity: how many opened keys are kept.
    ///   - idle: how long one is kept after its last use.
    package init(
        provider: any KeyProvider,
        effects: Effects,
        capacity: Int = 1024,
        idle: Duration = .seconds(300)
    ) {
        self.provider = provider
        self.effects = effects
        cache = KeyCache(capacity: capacity, idle: idle, now: effects.now)
    }

    /// A new data key for the owner.
    package func make(for owner: KeyOwner) async throws -> StoredDataKey {
        let id = effects.id(DataKey.self)
        let (key, wrapped) = try await provider.makeKey(context: Self.context(id, owner))
        cache.insert(key, for: .init(id: id, owner: owner, wrapped: wrapped))
        return StoredDataKey(id: id, wrapped: wrapped)
    }

    /// Opens a data key, from the cache when it was used a short while ago.
    ///
    /// - Throws: `.unavailable` when the master key is away or is another one: the values may be good, and the client
    ///   should come back.
    package func cipher(_ stored: StoredDataKey, for owner: KeyOwner) async throws -> ValueCipher {
        let place = KeyCache.Place(id: stored.id, owner: owner, wrapped: stored.wrapped)
        let key: SecretBytes
        if let cached = cache.find(place) {
            key = cached
        } else {
            key = try await open(stored, for: owner)
            cache.insert(key, for: place)
        }
        return ValueCipher(id: stored.id, key: key, owner: owner, randomBytes: effects.randomBytes)
    }

    /// The same data key, wrapped with the current version of the master key; nil when it is already.
    ///
    /// Values stay as they are. The caller replaces the row only if it still is the one that was read.
    package func rewrap(_ stored: StoredDataKey, for owner: KeyOwner) async throws -> StoredDataKey? {
        if stored.wrapped.version == provider.currentVersion { return nil }
        let key = try await open(stored, for: owner)
        let wrapped = try await provider.wrap(key, context: Self.context(stored.id, owner))
        return StoredDataKey(id: stored.id, wrapped: wrapped)
    }

    /// Forgets opened keys that were not used for a while; called now and then, so that an idle process holds none.
    package func forgetIdleKeys() {
        cache.removeIdle()
    }

    /// Forgets every opened key, as after the deletion of a stack for good.
    package func forgetAllKeys() {
        cache.removeAll()
    }

    private func open(_ stored: StoredDataKey, for owner: KeyOwner) async throws -> SecretBytes {
        do {
            let key = try await provider.unwrap(stored.wrapped, context: Self.context(stored.id, owner))
            guard key.count == AES256GCM.keyCount else { throw Self.unusable(nil) }
            return key
        } catch let error as ServiceError where error.code == .damaged || error.code == .notFound {
            throw Self.unusable(error)
        }
    }

    /// What a wrapped data key is bound to.
    private static func context(_ id: DataKeyID, _ owner: KeyOwner) -> [UInt8] {
        Array("dek/v1".utf8) + id.rawBytes + owner.bytes
    }

    private static func unusable(_ cause: (any Error)?) -> ServiceError {
        .unavailable("The encryption key of this stack cannot be used", cause: cause)
    }
}

// MARK: - Canary

extension DataKeys {
    /// A value that only this master key opens; the caller keeps it in the database, to recognize the key again.
    package func makeCanary() async throws -> WrappedKey {
        try await provider.wrap(Self.canary, context: Self.canaryContext)
    }

    /// Whether the master key is the one that made the canary; checked before anything is served or written.
    ///
    /// - Throws: `.unavailable` when the service that holds the key does not answer.
    package func verify(_ canary: WrappedKey) async throws -> Bool {
        do {
            let opened = try await provider.unwrap(canary, context: Self.canaryContext)
            return ConstantTime.equal(opened, Self.canary)
        } catch let error as ServiceError where error.code == .damaged || error.code == .notFound {
            return false
        }
    }

    /// The same canary under the current version of the master key; nil when it is already.
    package func rewrapCanary(_ canary: WrappedKey) async throws -> WrappedKey? {
        canary.version == provider.currentVersion ? nil : try await makeCanary()
    }

    private static let canaryContext = Array("canary/v1".utf8)
    private static var canary: SecretBytes {
        var bytes = Array("this key opens this installation".utf8)
        return SecretBytes(wiping: &bytes)
    }
}
