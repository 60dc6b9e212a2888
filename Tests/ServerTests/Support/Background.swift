import Synchronization

/// Something that runs beside the test.
final class Background<Value: Sendable>: Sendable {
    private let task: Task<Value, any Error>
    private let done: Done

    private final class Done: Sendable {
        let flag = Atomic(false)
    }

    init(_ body: @escaping @Sendable () async throws -> Value) {
        let done = Done()
        self.done = done
        task = Task {
            defer { done.flag.store(true, ordering: .releasing) }
            return try await body()
        }
    }

    var isFinished: Bool { done.flag.load(ordering: .acquiring) }

    /// What it came to.
    func value() async throws -> Value {
        try await task.value
    }

    func cancel() {
        task.cancel()
    }
}
