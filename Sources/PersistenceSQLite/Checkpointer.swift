import Persistence

/// The size of the write-ahead log: told by the writer, waited for by the checkpointer.
final class LogSize: Sendable {
    /// What the checkpointer may do.
    enum Work {
        /// Copies what no reader needs, beside everything else.
        case passive
        /// Also lets the log begin anew.
        case restart
        case stop
    }

    private struct State: Sendable {
        var pages = 0
        /// The size at the last checkpoint, whatever it could do: one that readers hold back is not tried in a circle.
        var attempted = 0
        /// Whether something was committed since the log was last emptied.
        var isDirty = false
        var lastCommit = ContinuousClock.now
        var isStopped = false
    }

    private let configuration: SQLiteConfiguration
    private let monitor = Monitor(State())

    init(_ configuration: SQLiteConfiguration) {
        self.configuration = configuration
    }

    /// Each page has a header of 24 bytes in the log.
    private static let pageBytes = 4096 + 24

    var bytes: Int { monitor.withLock { $0.pages } * Self.pageBytes }

    func committed(pages: Int) {
        let mustWake = monitor.withLock { state in
            // The log began anew.
            if pages < state.attempted { state.attempted = 0 }
            state.pages = pages
            state.isDirty = true
            state.lastCommit = .now
            return isLarge(state)
        }
        if mustWake { monitor.signal() }
    }

    /// Records that a checkpoint was tried; `restarted` tells that the log begins anew.
    func checkpointed(restarted: Bool) {
        monitor.withLock { state in
            state.attempted = state.pages
            guard restarted else { return }
            state.pages = 0
            state.attempted = 0
            state.isDirty = false
        }
    }

    func stop() {
        monitor.withLock { $0.isStopped = true }
        monitor.broadcast()
    }

    /// Whether enough was written since the last checkpoint for another one.
    private func isLarge(_ state: State) -> Bool {
        (state.pages - state.attempted) * Self.pageBytes >= configuration.checkpointBytes
    }

    /// Waits for something to do.
    func next() -> Work {
        while true {
            let work = monitor.wait(for: configuration.idleTime) { state -> Work? in
                if state.isStopped { return .stop }
                return isLarge(state) ? .passive : nil
            }
            if let work { return work }
            let isIdle = monitor.withLock { state in
                state.isDirty && state.lastCommit + configuration.idleTime <= .now
                    && state.pages * Self.pageBytes * 4 >= configuration.checkpointBytes
            }
            if isIdle { return .restart }
        }
    }

    var mustRestart: Bool { bytes >= configuration.restartBytes }
}

/// The thread that moves the log into the file, so that no commit has to.
struct Checkpointer: ConnectionLoop {
    let opening: SQLiteOpening
    let counters: Counters
    let log: LogSize
    let inPlace: ReadersInPlace
    private var connection: Connection?

    init(
        opening: SQLiteOpening,
        counters: Counters,
        log: LogSize,
        inPlace: ReadersInPlace
    ) throws(SQLiteOpenError) {
        self.opening = opening
        self.counters = counters
        self.log = log
        self.inPlace = inPlace
        connection = try opening.open(.maintenance)
    }

    mutating func run() {
        while true {
            switch log.next() {
            case .stop:
                // Every other connection is closed: what the log holds goes into the file.
                checkpoint(.truncate)
                connection?.close()
                return
            case .passive:
                checkpoint(.passive)
                if log.mustRestart { checkpoint(.restart) }
            case .restart:
                // The first one copies while others write; little is left for the second, which locks them out.
                checkpoint(.passive)
                checkpoint(log.mustRestart ? .truncate : .restart)
                optimize()
            }
        }
    }

    private mutating func checkpoint(_ mode: Connection.CheckpointMode) {
        let start = ContinuousClock.now
        inPlace.releaseSnapshots()
        do {
            let isComplete = try usable().checkpoint(mode)
            let restarted = mode != .passive && isComplete
            log.checkpointed(restarted: restarted)
            let time = start.duration(to: .now)
            counters.update { values in
                values.checkpoints += 1
                values.checkpointTime += time
                if restarted { values.restarts += 1 }
            }
        } catch {
            log.checkpointed(restarted: false)
            counters.update { $0.failedCheckpoints += 1 }
        }
    }

    /// Lets the engine look whether its statistics of indexes are worth renewing; nothing depends on it.
    private func optimize() {
        do {
            try connection?.control("PRAGMA analysis_limit = 400")
            try connection?.control("PRAGMA optimize")
        } catch {
            counters.update { if error.isBusy { $0.busy += 1 } }
        }
    }

    /// The connection, opened anew if it was lost.
    private mutating func usable() throws -> Connection {
        if let connection, !connection.isLost { return connection }
        connection?.close()
        connection = nil
        let opened = try opening.open(.maintenance)
        connection = opened
        counters.update { $0.reopened += 1 }
        return opened
    }
}
