package import Encryption
import Kernel
package import Persistence

/// Wraps every data key with the current master key, while servers go on.
///
/// Values stay as they are: they are encrypted with the data keys, which do not change. Each row is replaced by itself and
/// only if it still is what was read, so a run may be interrupted, repeated, and made beside another one.
package struct DataKeyRotation: Sendable {
    /// What was done so far.
    package struct Tally: Sendable, Equatable {
        package var found = 0
        /// Those that another version of the master key had wrapped.
        package var rewrapped = 0
        /// Rows whose key cannot be opened: they stay as they are.
        package var unusable: [DataKeyID] = []

        package init() {}
    }

    private static let page = 200
    private static let width = 8

    private let database: Database
    private let keys: DataKeys
    private let store = DataKeyStore()

    package init(database: Database, keys: DataKeys) {
        self.database = database
        self.keys = keys
    }

    /// Goes through all data keys once.
    ///
    /// - Parameters:
    ///   - isDry: says what would be done, and does nothing.
    ///   - report: told now and then.
    /// - Throws: `.unavailable` when a service that holds a master key does not answer.
    package func run(isDry: Bool, report: (Tally) -> Void) async throws -> Tally {
        var tally = Tally()
        var last: DataKeyID?
        while true {
            let after = last
            let page = try await database.read { [store] tx in try store.page(after: after, limit: Self.page, in: tx) }
            guard let end = page.last else { return tally }
            last = end.key.id
            for start in stride(from: 0, to: page.count, by: Self.width) {
                let part = page[start..<min(start + Self.width, page.count)]
                try await withThrowingTaskGroup(of: (DataKeyID, Outcome).self) { group in
                    for row in part { group.addTask { (row.key.id, try await rewrap(row, isDry)) } }
                    for try await (id, outcome) in group { tally.take(outcome, of: id) }
                }
            }
            report(tally)
        }
    }

    fileprivate enum Outcome: Sendable {
        case current
        case rewrapped
        case unusable
    }

    private func rewrap(_ row: DataKeyStore.Row, _ isDry: Bool) async throws -> Outcome {
        do {
            guard let made = try await keys.rewrap(row.key, for: row.owner) else { return .current }
            if isDry { return .rewrapped }
            try await database.write { [store] tx in try store.replace(row.key, with: made, in: tx) }
            return .rewrapped
        } catch let error as ServiceError {
            let cause = (error.cause as? ServiceError)?.code
            guard cause == .damaged || cause == .notFound else { throw error }
            return .unusable
        }
    }
}

extension DataKeyRotation.Tally {
    fileprivate mutating func take(_ outcome: DataKeyRotation.Outcome, of id: DataKeyID) {
        found += 1
        switch outcome {
        case .current: break
        case .rewrapped: rewrapped += 1
        case .unusable: unusable.append(id)
        }
    }
}
