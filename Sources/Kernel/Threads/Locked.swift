public import Synchronization

/// A value behind a lock: `Synchronization.Mutex`, in a form that the thread sanitizer understands.
///
/// The standard library is not built with the sanitizer, so that it does not see the lock of a `Mutex` and reports every
/// access under it as a race. The atomic beside it is compiled with our code: storing it before the lock is given back
/// and loading it once the lock is taken tells the sanitizer the same order. Both are plain moves of a processor that
/// keeps the order of stores; a release build measures no difference to `Mutex`.
///
/// It is public because the compiler specializes and inlines generic code of another module only then: with `package`,
/// each use of a lock costs five times as much.
public struct Locked<Value: ~Copyable>: ~Copyable, Sendable {
    @usableFromInline
    let mutex: Mutex<Value>

    @usableFromInline
    let order = Atomic<UInt8>(0)

    @inlinable
    public init(_ initial: consuming sending Value) {
        mutex = Mutex(initial)
    }

    /// Runs `body` while no other thread does; it must neither wait nor lock the same value again.
    @inlinable
    public borrowing func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        try mutex.withLock { (value: inout sending Value) throws(Failure) -> sending Result in
            _ = order.load(ordering: .acquiring)
            defer { order.store(0, ordering: .releasing) }
            return try body(&value)
        }
    }
}
