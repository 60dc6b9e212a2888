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
/// work asks `isCurrent`, and bounds how many do it at once, so that some threads are left for everybody else.
///
/// They live as long as the process: a task may come back to them at any time.
package final class TaskThreads: TaskExecutor {
    private struct State {
        /// First in, first out; what is before `head` has been taken.
        var jobs: [UnownedJob] = []
        var head = 0
        /// What wakes the threads that sleep; the last one fell asleep last, and its caches are the warmest.
        var sleeping: [DispatchSemaphore] = []
        /// Whether a thread was woken that has not looked for a job yet: until then no other one is.
        var isWaking = false

        mutating func take() -> UnownedJob? {
            guard head < jobs.count else { return nil }
            let job = jobs[head]
            head += 1
            if head == jobs.count {
                jobs.removeAll(keepingCapacity: true)
                head = 0
            } else if head > 64, head * 2 > jobs.count {
                jobs.removeFirst(head)
                head = 0
            }
            return job
        }

        /// The thread to wake for a job that waits; nil when none sleeps or one is on its way.
        mutating func wakeOne() -> DispatchSemaphore? {
            guard !isWaking, head < jobs.count, let bell = sleeping.popLast() else { return nil }
            isWaking = true
            return bell
        }
    }

    private let state = Locked(State())

    /// Starts the threads.
    ///
    /// - Parameters:
    ///   - name: what `ps -L` shows, with a number behind it; cut to 15 bytes.
    ///   - count: how many; by default one more than there are cores, because some of them wait.
    package init(name: String, count: Int = TaskThreads.standardCount) {
        for index in 0..<count {
            NamedThread.start(name: "\(name)-\(index)") { [self] in
                pthread_setspecific(marker, Unmanaged.passUnretained(self).toOpaque())
                run()
            }
        }
    }

    package static let standardCount = min(max(sysconf(Int32(_SC_NPROCESSORS_ONLN)), 2), 64) + 1

    /// Whether the calling thread is one of these, so that it may block.
    package static var isCurrent: Bool { pthread_getspecific(marker) != nil }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let bell = state.withLock { state in
            state.jobs.append(job)
            return state.wakeOne()
        }
        bell?.signal()
    }

    private func run() {
        let bell = DispatchSemaphore(value: 0)
        let executor = asUnownedTaskExecutor()
        var wasWoken = false
        while true {
            let (job, other) = state.withLock { state in
                if wasWoken { state.isWaking = false }
                let job = state.take()
                if job == nil { state.sleeping.append(bell) }
                return (job, state.wakeOne())
            }
            other?.signal()
            if let job { job.runSynchronously(on: executor) } else { bell.wait() }
            wasWoken = job == nil
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
