import CThread

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Starts detached threads with a name and with every signal blocked, so that only `Server/Lifecycle` sees signals.
package enum NamedThread {
    /// Which share of the processors a thread gets when there are too few.
    package enum Priority: Sendable {
        case normal
        /// A tenth of what a normal thread gets, and that after every other one where the kernel can tell.
        case low
    }

    private final class Body {
        let name: String
        let priority: Priority
        let run: @Sendable () -> Void

        init(name: String, priority: Priority, run: @escaping @Sendable () -> Void) {
            self.name = name
            self.priority = priority
            self.run = run
        }
    }

    /// Starts a thread that runs `body` and ends with it.
    ///
    /// - Parameter name: what `ps -L` shows; cut to 15 bytes.
    package static func start(
        name: String,
        priority: Priority = .normal,
        _ body: @escaping @Sendable () -> Void
    ) {
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        defer { pthread_attr_destroy(&attributes) }
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(Body(name: name, priority: priority, run: body)).toOpaque()
        let result = pthread_create(&thread, &attributes, entry, argument)
        precondition(result == 0, "the system gives no more threads (\(result))")
    }

    private static let entry: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { argument in
        guard let argument else { return nil }
        let body = Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
        setName(body.name)
        if body.priority == .low { cairn_thread_give_way() }
        body.run()
        return nil
    }

    /// Names the calling thread.
    ///
    /// Through `/proc`, because the C function is a GNU extension that Swift does not see; a system without it merely
    /// shows no names.
    private static func setName(_ name: String) {
        let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        defer { close(file) }
        let bytes = Array(name.utf8.prefix(15))
        _ = write(file, bytes, bytes.count)
    }
}
