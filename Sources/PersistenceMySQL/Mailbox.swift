import Kernel

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Where an idle thread waits for the one message it will get.
///
/// SAFETY: `@unchecked` because of `semaphore`, which is heap storage that the system's functions may be called on from
/// every thread; the message is `Locked`.
final class Mailbox<Message: Sendable>: @unchecked Sendable {
    private let semaphore: UnsafeMutablePointer<sem_t>
    private let message = Locked<Message?>(nil)

    init() {
        semaphore = .allocate(capacity: 1)
        semaphore.initialize(to: sem_t())
        sem_init(semaphore, 0, 0)
    }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func put(_ new: Message) {
        message.withLock { $0 = new }
        sem_post(semaphore)
    }

    /// Waits for the message; nil when none came in time.
    ///
    /// The wait follows the wall clock, which the function takes: where that is set, an idle connection is closed too
    /// early or too late, and nothing else.
    func take(within duration: Duration) -> Message? {
        var until = timespec()
        clock_gettime(CLOCK_REALTIME, &until)
        let (seconds, attoseconds) = duration.components
        let nanoseconds = until.tv_nsec + Int(attoseconds / 1_000_000_000)
        until.tv_sec += Int(seconds) + nanoseconds / 1_000_000_000
        until.tv_nsec = nanoseconds % 1_000_000_000
        while sem_timedwait(semaphore, &until) != 0 {
            guard errno == EINTR else { return nil }
        }
        return taken()
    }

    /// Waits for a message that is on its way.
    func take() -> Message? {
        while sem_wait(semaphore) != 0 {}
        return taken()
    }

    private func taken() -> Message? {
        message.withLock { message in
            defer { message = nil }
            return message
        }
    }
}
