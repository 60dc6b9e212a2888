import Kernel

/// What the driver has done since it was opened, for metrics and tests.
package struct SQLiteStatistics: Sendable, Equatable {
    /// Commits that covered at least one closure.
    package var groups = 0
    /// How many of them covered 1, 2, … closures; the first element is for 1.
    package var groupSizes: [Int] = []
    /// Closures whose commit is durable.
    package var writes = 0
    /// Groups that broke, so that their closures ran again one by one.
    package var brokenGroups = 0
    /// Time the writer spent from the first statement of a group to its commit.
    package var writeTime: Duration = .zero
    package var longestWrite: Duration = .zero
    /// Groups that were held back because the log is too large.
    package var slowedGroups = 0

    package var reads = 0
    /// Snapshots that these reads were made on.
    package var snapshots = 0
    package var readTime: Duration = .zero
    package var longestRead: Duration = .zero
    /// Reads that were ended by their deadline or by cancellation.
    package var interruptedReads = 0

    /// How often the engine said that another process holds the file.
    package var busy = 0
    /// Closures that waited too long for their turn.
    package var expired = 0
    /// Connections that were lost and opened anew.
    package var reopened = 0

    /// The size of the write-ahead log, in bytes.
    package var logBytes = 0
    package var checkpoints = 0
    /// Checkpoints after which the log begins anew.
    package var restarts = 0
    package var failedCheckpoints = 0
    package var checkpointTime: Duration = .zero

    /// How many closures wait now.
    package var waitingWrites = 0
    package var waitingReads = 0
}

/// The counters, shared by the driver's threads.
final class Counters: Sendable {
    private let values: Locked<SQLiteStatistics>

    init(groupLimit: Int) {
        var initial = SQLiteStatistics()
        initial.groupSizes = Array(repeating: 0, count: groupLimit)
        values = Locked(initial)
    }

    var snapshot: SQLiteStatistics { values.withLock { $0 } }

    func update(_ body: (inout SQLiteStatistics) -> Void) {
        values.withLock { body(&$0) }
    }
}
