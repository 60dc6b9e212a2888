/// A bounded table by text; the entry that was not used for longest goes first.
///
/// Looking for it takes a walk over the table, which happens only when a new text meets a full one.
package struct StatementCache<Value> {
    private struct Entry {
        var value: Value
        var lastUse: UInt64
    }

    private var entries: [String: Entry] = [:]
    private var clock: UInt64 = 0
    private let limit: Int

    package init(limit: Int) {
        self.limit = limit
    }

    package var count: Int { entries.count }
    package var values: [Value] { entries.values.map(\.value) }

    package mutating func value(for text: String) -> Value? {
        guard let index = entries.index(forKey: text) else { return nil }
        clock += 1
        entries.values[index].lastUse = clock
        return entries.values[index].value
    }

    /// Adds a value and gives the one that had to go.
    package mutating func insert(_ value: Value, for text: String) -> Value? {
        clock += 1
        var evicted: Value?
        if entries.count >= limit, entries[text] == nil,
            let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse })
        {
            evicted = entries.removeValue(forKey: oldest.key)?.value
        }
        let replaced = entries.updateValue(Entry(value: value, lastUse: clock), forKey: text)
        return evicted ?? replaced?.value
    }

    package mutating func remove(_ text: String) -> Value? {
        entries.removeValue(forKey: text)?.value
    }
}
