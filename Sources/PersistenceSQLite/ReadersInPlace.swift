import Kernel
import Persistence
import Synchronization

/// Counts the beginnings and the ends of commits: while it stays the same and even, a snapshot shows the newest.
///
/// Odd is between the two, when some may see the commit already and others not yet.
final class Commits: Sendable {
    private let count = Atomic<UInt64>(0)

    var now: UInt64 { count.load(ordering: .acquiring) }

    /// Runs what may commit, for the one thread that writes; nobody is told of the commit before it returns.
    func during<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        count.wrappingAdd(1, ordering: .sequentiallyConsistent)
        defer { count.wrappingAdd(1, ordering: .sequentiallyConsistent) }
        return try body()
    }
}

/// Connections for reads on the thread of whoever asks, where that may block (`TaskThreads`).
///
/// There are as many as there are readers; when all are in use, the next read waits for a reader's thread as any other
/// does. A connection keeps its snapshot until something is committed, because beginning and ending one costs more than
/// a small read; no read sees less than one before it did. Whoever empties the log ends those that nobody uses (`releaseSnapshots`).
final class ReadersInPlace: Sendable {
    /// SAFETY: a connection may be used from any thread, but by one at a time (`SQLITE_OPEN_NOMUTEX`): it is either in
    /// `idle` or held by the one call that took it out under the lock.
    private final class Holder: @unchecked Sendable {
        let connection: Connection
        let transaction: Transaction
        /// What `Commits` said before the snapshot was begun; nil without one.
        var snapshot: UInt64?

        init(_ connection: Connection) {
            self.connection = connection
            transaction = Transaction(dialect: .sqlite, connection: connection)
        }

        func endSnapshot() {
            guard snapshot != nil else { return }
            snapshot = nil
            connection.endRead()
        }
    }

    private enum Place {
        case idle(Holder)
        /// There is room for one more connection, which whoever gets this opens.
        case free
        case none
    }

    private struct State: Sendable {
        var idle: [Holder] = []
        var inUse = 0
        var isClosed = false
    }

    private let opening: SQLiteOpening
    private let counters: Counters
    private let commits: Commits
    private let state = Locked(State())
    private let end = ThreadEnd()

    init(opening: SQLiteOpening, counters: Counters, commits: Commits) {
        self.opening = opening
        self.counters = counters
        self.commits = commits
    }

    /// Reads at once; nil when every connection is in use.
    ///
    /// - Throws: what `body` throws, and what the reader's thread would throw.
    func read<T>(_ body: (Transaction) throws -> T) throws -> T? {
        let holder: Holder
        switch take() {
        case .none: return nil
        case .idle(let idle): holder = idle
        case .free:
            do {
                holder = Holder(try opening.open(.reader))
            } catch {
                giveBack(nil)
                throw DatabaseError.unavailable(error.description)
            }
        }
        defer { giveBack(holder) }
        do {
            return try read(with: holder, body)
        } catch {
            // Whatever it was may have cost the snapshot.
            holder.endSnapshot()
            throw error
        }
    }

    private func read<T>(with holder: Holder, _ body: (Transaction) throws -> T) throws -> T {
        let connection = holder.connection
        let now = commits.now
        let isFresh = holder.snapshot != now || !now.isMultiple(of: 2)
        if isFresh {
            holder.endSnapshot()
            do {
                try connection.begin("BEGIN")
            } catch {
                throw connection.translate(error)
            }
            holder.snapshot = now
        }
        return try connection.measuredRead(for: nil, opening.configuration, counters, snapshots: isFresh ? 1 : 0) {
            try body(holder.transaction)
        }
    }

    /// Ends the snapshots that nobody uses just now, so that the log can be emptied past them.
    func releaseSnapshots() {
        let idle = state.withLock { state in
            defer { state.idle = [] }
            state.inUse += state.idle.count
            return state.idle
        }
        for holder in idle {
            holder.endSnapshot()
            giveBack(holder)
        }
    }

    /// Refuses what comes, and returns when the last connection is closed.
    func close() async {
        let (idle, isOver) = state.withLock { state in
            state.isClosed = true
            defer { state.idle = [] }
            return (state.idle, state.inUse == 0)
        }
        for holder in idle { holder.connection.close() }
        if isOver { end.signal() }
        await end.wait()
    }

    private func take() -> Place {
        state.withLock { state in
            guard !state.isClosed, state.inUse < opening.configuration.readers else { return .none }
            state.inUse += 1
            return state.idle.popLast().map(Place.idle) ?? .free
        }
    }

    private func giveBack(_ holder: Holder?) {
        if let connection = holder?.connection, connection.isLost {
            connection.close()
            counters.update { $0.reopened += 1 }
            return giveBack(nil)
        }
        let isClosed = state.withLock { state in
            guard !state.isClosed else { return true }
            if let holder { state.idle.append(holder) }
            state.inUse -= 1
            return false
        }
        guard isClosed else { return }
        holder?.connection.close()
        let isLast = state.withLock { state in
            state.inUse -= 1
            return state.inUse == 0
        }
        if isLast { end.signal() }
    }
}
