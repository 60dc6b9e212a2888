import Dispatch
package import Kernel
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Writes entries to a file descriptor from a thread of its own, so that a slow terminal or pipe never holds a request.
///
/// Lines wait in a bounded buffer. When it is full, lines are dropped and counted, and the count is written as a line
/// once there is room.
package final class LogWriter: LogSink {
    private struct State {
        /// Whole lines that wait.
        var pending: [UInt8] = []
        /// Bytes that were ever taken, and those that were written or given up.
        var taken = 0
        var done = 0
        var droppedSinceLast = 0
        var waiters: [Waiter] = []
        var isStopping = false
        var hasEnded = false
    }

    private struct Waiter {
        let target: Int
        let wakeUp: DispatchSemaphore
    }

    /// How long lines are gathered after the first: waking a thread costs more than writing a line.
    private static let gathering = DispatchTimeInterval.milliseconds(5)
    /// Lines are written at once when so many bytes of them wait.
    private static let gatheringLimit = 262_144

    private let descriptor: Int32
    private let format: LogFormat
    private let limit: Int
    private let now: @Sendable () -> Timestamp
    private let state = Locked(State())
    private let wakeUp = DispatchSemaphore(value: 0)
    /// Signalled when lines must not be gathered any longer.
    private let hurry = DispatchSemaphore(value: 0)
    private let droppedTotal = Atomic<Int>(0)

    /// Starts the thread `log`.
    ///
    /// - Parameters:
    ///   - descriptor: 1 for standard output; not closed.
    ///   - limit: how many bytes of lines may wait.
    package init(
        descriptor: Int32,
        format: LogFormat,
        limit: Int = 4 * 1_048_576,
        now: @escaping @Sendable () -> Timestamp
    ) {
        self.descriptor = descriptor
        self.format = format
        self.limit = limit
        self.now = now
        NamedThread.start(name: "log") { [self] in
            var spare: [UInt8] = []
            while drain(&spare) {}
        }
    }

    /// How many lines were dropped since the start, because of a full buffer or a descriptor that takes no more.
    package var dropped: Int { droppedTotal.load(ordering: .relaxed) }

    package func write(_ entry: LogEntry) {
        let line = format.line(entry)
        let (isFirst, isMuch) = state.withLock { state -> (Bool, Bool) in
            guard !state.isStopping, state.pending.count + line.count <= limit else {
                state.droppedSinceLast += 1
                droppedTotal.wrappingAdd(1, ordering: .relaxed)
                return (false, false)
            }
            let before = state.pending.count
            state.pending += line
            state.taken += line.count
            return (before == 0, before < Self.gatheringLimit && state.pending.count >= Self.gatheringLimit)
        }
        if isFirst { wakeUp.signal() }
        if isMuch { hurry.signal() }
    }

    /// Waits until what was taken before is written; blocks, for the end of the process.
    ///
    /// - Returns: whether it was written in time.
    @discardableResult
    package func flush(within timeout: Duration) -> Bool {
        let waiter = state.withLock { state -> Waiter? in
            guard state.done < state.taken, !state.hasEnded else { return nil }
            let waiter = Waiter(target: state.taken, wakeUp: DispatchSemaphore(value: 0))
            state.waiters.append(waiter)
            return waiter
        }
        guard let waiter else { return true }
        hurry.signal()
        let (seconds, attoseconds) = timeout.components
        let nanoseconds = Int(seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000)
        return waiter.wakeUp.wait(timeout: .now() + .nanoseconds(nanoseconds)) == .success
    }

    /// Lets the thread write what waits and end; later entries are dropped.
    package func stop() {
        state.withLock { $0.isStopping = true }
        hurry.signal()
        wakeUp.signal()
    }

    /// Writes what waits; false when the thread is to end.
    ///
    /// - Parameter batch: an empty buffer that is given to the next lines; empty again afterwards.
    private func drain(_ batch: inout [UInt8]) -> Bool {
        wakeUp.wait()
        _ = hurry.wait(timeout: .now() + Self.gathering)
        let dropped = state.withLock { state in
            swap(&state.pending, &batch)
            defer { state.droppedSinceLast = 0 }
            return state.droppedSinceLast
        }
        let count = batch.count
        if dropped > 0 { batch += lineAbout(dropped) }
        writeAll(batch)
        batch.removeAll(keepingCapacity: batch.capacity <= 262_144)
        return state.withLock { state in
            state.done += count
            for waiter in state.waiters where waiter.target <= state.done { waiter.wakeUp.signal() }
            state.waiters.removeAll { $0.target <= state.done }
            state.hasEnded = state.isStopping && state.pending.isEmpty
            return !state.hasEnded
        }
    }

    private func lineAbout(_ dropped: Int) -> [UInt8] {
        let fields = [LogField("count", .integer(dropped))]
        return format.line(LogEntry(time: now(), level: .warning, message: "log lines were dropped", fields: fields))
    }

    private func writeAll(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { writeSome($0, to: descriptor) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&wanted, 1, 1000)
            } else if errno != EINTR {
                let lines = rest.count { $0 == UInt8(ascii: "\n") }
                droppedTotal.wrappingAdd(lines, ordering: .relaxed)
                return
            }
        }
    }
}

private func writeSome(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int {
    write(descriptor, bytes.baseAddress, bytes.count)
}
