import Kernel

/// Keeps entries in memory, for tests that look at what was logged.
package final class LogRecorder: LogSink {
    private let kept = Locked<[LogEntry]>([])

    package init() {}

    package func write(_ entry: LogEntry) {
        kept.withLock { $0.append(entry) }
    }

    /// What was logged so far, in order.
    package var entries: [LogEntry] {
        kept.withLock { $0 }
    }
}
