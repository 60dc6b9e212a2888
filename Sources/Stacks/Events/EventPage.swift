/// The events of one page while batches are read by their first number; what they hold may overlap.
package struct EventPage: Sendable {
    /// The number of the last event of the page before.
    package let after: Int64
    private let limit: Int
    private let bytes: Int

    /// By their numbers, each once.
    package private(set) var events: [EventBatch.Event] = []
    /// Whether there were more than fit.
    package private(set) var isCut = false

    /// - Parameters:
    ///   - limit: the most events.
    ///   - bytes: the page ends with the event that makes it this long.
    package init(after: Int64, limit: Int, bytes: Int) {
        self.after = after
        self.limit = limit
        self.bytes = bytes
    }

    /// Whether no batch that begins with this number or behind it can add to the page.
    package func isWhole(before number: Int64) -> Bool {
        guard isCut, let last = events.last else { return false }
        return last.sequence <= number
    }

    /// Adds what belongs to the page; of two events with one number the one that is there stays.
    package mutating func take(_ batch: [EventBatch.Event]) {
        let end = isCut ? events.last?.sequence : nil
        var known = Set(events.map(\.sequence))
        for event in batch where event.sequence > after && end.map({ event.sequence < $0 }) ?? true {
            if known.insert(event.sequence).inserted { events.append(event) }
        }
        events.sort { $0.sequence < $1.sequence }
        cut()
    }

    private mutating func cut() {
        var size = 0
        for (index, event) in events.enumerated() {
            size += event.text.count
            guard index + 1 == limit || size >= bytes, index + 1 < events.count else { continue }
            events.removeSubrange((index + 1)...)
            isCut = true
            return
        }
    }
}
