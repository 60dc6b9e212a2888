/// The impure world a service may touch: what time it is, and randomness.
///
/// Live values are made once, in `Server`; tests pass fixed ones. Long waits take an `any Clock<Duration>` instead.
package struct Effects: Sendable {
    package let now: @Sendable () -> Timestamp

    /// Gives the number of bytes asked for, from a cryptographic source.
    package let randomBytes: @Sendable (Int) -> [UInt8]

    package init(now: @escaping @Sendable () -> Timestamp, randomBytes: @escaping @Sendable (Int) -> [UInt8]) {
        self.now = now
        self.randomBytes = randomBytes
    }

    /// A new, time-ordered id.
    package func id<Entity>(_ entity: Entity.Type = Entity.self) -> ID<Entity> {
        ID(at: now(), random: randomBytes(10))
    }

    /// One of 256 numbers of a range, for waits that should not all be alike.
    package func number(in range: ClosedRange<Double>) -> Double {
        range.lowerBound + (range.upperBound - range.lowerBound) * Double(randomBytes(1)[0]) / 255
    }
}
