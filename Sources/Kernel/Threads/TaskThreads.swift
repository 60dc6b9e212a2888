import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Threads that run tasks and, unlike those of Swift's pool, may wait for a disk.
///
/// A task that prefers this executor may do in place what takes microseconds and now and then blocks, such as a short
/// read of a local database: the way to a thread made for that and back costs more than the read. Whoever offers such
/// work asks `isCurrent`, and lets no more do it at once than there are threads.
///
/// One more thread stands by and runs tasks only while all others are stuck, because more threads than cores would make
/// each other wait. They all live as long as the process: a task may come back to them at any time.
package final class TaskThreads: TaskExecutor {
    private struct State {
        /// First in, first out; what is before `head` has been taken.
        var jobs: [UnownedJob] = []
        var head = 0
        /// Counts the jobs that were taken.
        var taken = 0
        /// What wakes the threads that sleep; the last one fell asleep last, and its caches are the warmest.
        var sleeping: [DispatchSemaphore] = []
        /// Whether a thread was woken that has not looked for a job yet: until then no other one is.
        var isWaking = false
        var isGuarded = false

        var isWaiting: Bool { head < jobs.count }

        mutating func take() -> UnownedJob? {
            guard isWaiting else { return nil }
            let job = jobs[head]
            head += 1
            taken += 1
            if head == jobs.count {
                jobs.removeAll(keepingCapacity: true)
                head = 0
            } else if head > 64, head * 2 > jobs.count {
                jobs.removeFirst(head)
                head = 0
            }
            return job
        }

        /// What to ring for the jobs that wait, so that a thread that sleeps takes one, or the guard watches over them.
        mutating func wakeOne(guard guardBell: DispatchSemaphore) -> DispatchSemaphore? {
            guard isWaiting, !isWaking else { return nil }
            if let bell = sleeping.popLast() {
                isWaking = true
                return bell
            }
            if isGuarded { return nil }
            isGuarded = true
            return guardBell
        }
    }

    private let state = Locked(State())
    private let guardBell = DispatchSemaphore(value: 0)

    /// After so long without anybody taking a job that waits, the others are stuck.
    private static let patience = DispatchTimeInterval.milliseconds(5)

    /// Starts the threads.
    ///
    /// - Parameters:
    ///   - name: what `ps -L` shows, with a number behind it; cut to 15 bytes.
    ///   - count: how many, without the one that stands by; by default as many as cores, and at least 2.
    package init(name: String, count: Int = max(sysconf(Int32(_SC_NPROCESSORS_ONLN)), 2)) {
        for index in 0..<count { start("\(name)-\(index)") { $0.work() } }
        start("\(name)-guard") { $0.watch() }
    }

    private func start(_ name: String, _ run: @escaping @Sendable (TaskThreads) -> Void) {
        NamedThread.start(name: name) { [self] in
            pthread_setspecific(marker, Unmanaged.passUnretained(self).toOpaque())
            run(self)
        }
    }

    /// Whether the calling thread is one of these, so that it may block.
    package static var isCurrent: Bool { pthread_getspecific(marker) != nil }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let bell = state.withLock { state in
            state.jobs.append(job)
            return state.wakeOne(guard: guardBell)
        }
        bell?.signal()
    }

    /// The life of a thread.
    private func work() {
        let bell = DispatchSemaphore(value: 0)
        let executor = asUnownedTaskExecutor()
        var wasWoken = false
        while true {
            let (job, other) = state.withLock { state in
                if wasWoken { state.isWaking = false }
                let job = state.take()
                if job == nil { state.sleeping.append(bell) }
                return (job, state.wakeOne(guard: guardBell))
            }
            other?.signal()
            if let job { job.runSynchronously(on: executor) } else { bell.wait() }
            wasWoken = job == nil
        }
    }

    /// The life of the one that stands by: it sleeps until jobs wait although no other thread does.
    private func watch() {
        let executor = asUnownedTaskExecutor()
        while true {
            guardBell.wait()
            var seen = state.withLock { $0.taken }
            var areStuck = false
            while true {
                if !areStuck { _ = guardBell.wait(timeout: .now() + Self.patience) }
                let (job, isOver) = state.withLock { state -> (UnownedJob?, Bool) in
                    guard state.isWaiting else {
                        state.isGuarded = false
                        return (nil, true)
                    }
                    areStuck = state.taken == seen
                    let job = areStuck ? state.take() : nil
                    seen = state.taken
                    return (job, false)
                }
                if isOver { break }
                job?.runSynchronously(on: executor)
            }
        }
    }
}

/// Set on threads of `TaskThreads`.
private let marker: pthread_key_t = {
    var key = pthread_key_t()
    let result = pthread_key_create(&key, nil)
    precondition(result == 0, "the system gives no more thread-specific values (\(result))")
    return key
}()
