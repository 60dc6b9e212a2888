import Kernel

/// Opened data keys: a bounded number, each for a bounded time after its last use.
///
/// A key that leaves is wiped as soon as nobody uses it any more.
final class KeyCache: Sendable {
    /// A key is found only by those who name its owner and its row.
    struct Place: Hashable {
        let id: DataKeyID
        let owner: KeyOwner
        let wrapped: [UInt8]

        init(id: DataKeyID, owner: KeyOwner, wrapped: WrappedKey) {
            self.id = id
            self.owner = owner
            self.wrapped = wrapped.bytes
        }

        // The rest is compared; the id alone spreads well.
        func hash(into hasher: inout Hasher) {
            hasher.combine(id)
        }
    }

    private struct Entry {
        let key: SecretBytes
        var lastUse: Timestamp
    }

    private let capacity: Int
    private let idle: Duration
    private let now: @Sendable () -> Timestamp
    private let entries = Locked<[Place: Entry]>([:])

    init(capacity: Int, idle: Duration, now: @escaping @Sendable () -> Timestamp) {
        self.capacity = capacity
        self.idle = idle
        self.now = now
    }

    func find(_ place: Place) -> SecretBytes? {
        let now = now()
        return entries.withLock { entries in
            guard let entry = entries[place] else { return nil }
            guard isFresh(entry, now) else {
                entries[place] = nil
                return nil
            }
            entries[place]?.lastUse = now
            return entry.key
        }
    }

    func insert(_ key: SecretBytes, for place: Place) {
        let now = now()
        entries.withLock { entries in
            if entries.count >= capacity, entries[place] == nil { makeRoom(&entries, now) }
            if entries.count < capacity { entries[place] = Entry(key: key, lastUse: now) }
        }
    }

    func removeIdle() {
        let now = now()
        entries.withLock { entries in entries = entries.filter { isFresh($1, now) } }
    }

    func removeAll() {
        entries.withLock { $0 = [:] }
    }

    var count: Int { entries.withLock { $0.count } }

    /// Removes what is idle, and an eighth of the rest, oldest use first, when that was not enough.
    private func makeRoom(_ entries: inout [Place: Entry], _ now: Timestamp) {
        entries = entries.filter { isFresh($1, now) }
        guard entries.count >= capacity else { return }
        let oldest = entries.sorted { $0.value.lastUse < $1.value.lastUse }.prefix(max(1, capacity / 8))
        for (place, _) in oldest { entries[place] = nil }
    }

    /// A clock that was set back makes an entry old: better one look-up too many than a key that stays.
    private func isFresh(_ entry: Entry, _ now: Timestamp) -> Bool {
        let age = now.since(entry.lastUse)
        return age <= idle && age >= .zero
    }
}
