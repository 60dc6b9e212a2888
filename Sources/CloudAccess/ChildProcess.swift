import Kernel

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Programs that print keys, started without a shell.
enum ChildProcess {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Starts a program with this process's environment and gives what it prints; blocks until it has ended.
    ///
    /// What it writes to its standard error goes to ours, for the operator.
    ///
    /// - Parameters:
    ///   - limit: how long it may take; then it is killed.
    ///   - most: how many bytes it may print.
    static func output(of words: [String], within limit: Duration, most: Int) -> Result<[UInt8], Failure> {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return .failure(problem("cannot be started", errno)) }
        // No other thread starts programs, so none can inherit the ends before this.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let child: pid_t
        switch start(words, output: ends[1]) {
        case .success(let id): child = id
        case .failure(let failure):
            close(ends[0])
            close(ends[1])
            return .failure(failure)
        }
        close(ends[1])
        defer { close(ends[0]) }
        let end = ContinuousClock.now + limit
        let output = read(ends[0], until: end, most: most)
        if case .failure = output { kill(child, SIGKILL) }
        let status = wait(for: child, until: end)
        if case .success = output, status != 0 {
            let isExit = status & 0x7F == 0
            let text = isExit ? "ended with code \(status >> 8 & 0xFF)" : "was ended by signal \(status & 0x7F)"
            return .failure(Failure(description: text))
        }
        return output
    }

    /// Its status as the system gives it; a program that has closed its output and goes on is killed in the end.
    private static func wait(for child: pid_t, until end: ContinuousClock.Instant) -> Int32 {
        var status: Int32 = 0
        while true {
            let isLate = ContinuousClock.now >= end
            if isLate { kill(child, SIGKILL) }
            let ended = waitpid(child, &status, isLate ? 0 : WNOHANG)
            if ended == child { return status }
            if ended < 0, errno != EINTR { return -1 }
            _ = poll(nil, 0, 10)
        }
    }

    private static func start(_ words: [String], output: Int32) -> Result<pid_t, Failure> {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        // The server's own signal handling is not for others.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        var child: pid_t = 0
        var environment = Settings.processEnvironment().map { strdup("\($0.key)=\($0.value)") }
        environment.append(nil)
        defer { for entry in environment { free(entry) } }
        let number = words[0].withCString { posix_spawnp(&child, $0, &actions, &attributes, arguments, environment) }
        return number == 0 ? .success(child) : .failure(problem("cannot be started", number))
    }

    private static func read(_ file: Int32, until end: ContinuousClock.Instant, most: Int) -> Result<[UInt8], Failure> {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let left = ContinuousClock.now.duration(to: end)
            guard left > .zero else { return .failure(Failure(description: "does not end")) }
            var waiting = pollfd(fd: file, events: Int16(POLLIN), revents: 0)
            let milliseconds = left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000
            let ready = poll(&waiting, 1, Int32(clamping: milliseconds + 1))
            if ready < 0, errno != EINTR { return .failure(problem("cannot be read", errno)) }
            guard ready > 0 else { continue }
            let count = chunk.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return .failure(problem("cannot be read", errno)) }
            if count == 0 { return .success(bytes) }
            bytes += chunk[..<count]
            guard bytes.count <= most else { return .failure(Failure(description: "prints too much")) }
        }
    }

    private static func problem(_ what: String, _ number: Int32) -> Failure {
        Failure(description: "\(what): \(String(cString: strerror(number)))")
    }
}
