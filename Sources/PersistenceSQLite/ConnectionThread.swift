import Kernel

/// What a thread with a connection does until its work ends.
protocol ConnectionLoop: SendableMetatype {
    mutating func run()
}

/// Starts threads whose connection is opened, used and closed there.
enum ConnectionThread {
    /// Starts a thread and returns when `make` has opened its connection.
    ///
    /// - Parameter lock: stays held at least until the thread's connection is closed.
    /// - Returns: what ends with the thread.
    /// - Throws: what `make` throws; there is no thread then.
    static func start<Loop: ConnectionLoop>(
        name: String,
        under lock: FolderLock?,
        _ make: @escaping @Sendable () throws -> Loop
    ) async throws -> ThreadEnd {
        let end = ThreadEnd()
        try await withCheckedThrowingContinuation { (opened: CheckedContinuation<Void, any Error>) in
            NamedThread.start(name: name) {
                do {
                    var loop = try make()
                    opened.resume()
                    withExtendedLifetime(lock) { loop.run() }
                } catch {
                    opened.resume(throwing: error)
                }
                end.signal()
            }
        }
        return end
    }

    /// Runs `work` on a thread of its own.
    static func run<T: Sendable>(name: String, _ work: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            NamedThread.start(name: name) { continuation.resume(with: Result { try work() }) }
        }
    }
}
