package import Events
import Kernel

extension DynamoAuditTable {
    /// What a table holds of one chain.
    package struct Chain: Sendable, Equatable {
        /// How many events the table has of it.
        package var events = 0
        /// How many of them were cut, so that their hash cannot be computed again; their links are checked.
        package var cut = 0
        /// How many items cannot be read as events.
        package var unreadable = 0
        /// The last event up to which everything is there; 0 when there is none.
        ///
        /// With `hash`, what tells whether the end of the chain is missing: the database has its head, and its mark.
        package var sequence: Int64 = 0
        package var hash: [UInt8] = Array(repeating: 0, count: 32)
        /// The first event that is missing, changed or there twice; nil when there is none.
        package var firstBreak: Int64?
    }

    /// Reads a chain from its beginning, and checks every event and every link.
    ///
    /// Events of one moment, and those from before a clock was put back, come in another order than that of the chain; they
    /// are kept until it is their turn.
    package func chain(of scope: AuditEvent.Scope) async throws -> Chain {
        var reader = ChainReader()
        var start: String?
        repeat {
            let request = Request(query: Query(scope), start: start, limit: nil, isAscending: true)
            let (items, last) = try await pieces(request)
            for item in items {
                if let item { reader.add(item) } else { reader.chain.unreadable += 1 }
            }
            start = last
        } while start != nil && !reader.isHopeless
        return reader.finish()
    }
}

/// Puts events into the order of their chain and checks them.
struct ChainReader {
    private struct Link {
        let previousHash: [UInt8]
        let hash: [UInt8]
    }

    /// More events out of order than a clock explains.
    static let mostWaiting = 100_000

    var chain = DynamoAuditTable.Chain()
    private var waiting: [Int64: Link] = [:]

    /// Whether the next event is missing for so long that it will not come.
    var isHopeless: Bool { waiting.count > Self.mostWaiting }

    mutating func add(_ item: AuditItem) {
        let sequence = item.event.sequence
        chain.events += 1
        if !item.cut.isEmpty { chain.cut += 1 }
        let isKnown = sequence <= chain.sequence || waiting[sequence] != nil
        guard item.fits, !isKnown else { return report(sequence) }
        waiting[sequence] = Link(previousHash: item.previousHash, hash: item.hash)
        while let next = waiting.removeValue(forKey: chain.sequence + 1) {
            if next.previousHash != chain.hash { report(chain.sequence + 1) }
            chain.sequence += 1
            chain.hash = next.hash
        }
    }

    consuming func finish() -> DynamoAuditTable.Chain {
        if !waiting.isEmpty { report(chain.sequence + 1) }
        return chain
    }

    private mutating func report(_ sequence: Int64) {
        chain.firstBreak = min(chain.firstBreak ?? sequence, sequence)
    }
}
