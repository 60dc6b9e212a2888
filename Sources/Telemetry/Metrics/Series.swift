import Synchronization

/// A number that only grows.
package final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    package func increment(by amount: Int = 1) {
        count.wrappingAdd(amount, ordering: .relaxed)
    }

    package var value: Int { count.load(ordering: .relaxed) }
}

/// A number that goes up and down.
package final class Gauge: Sendable {
    private let number = Atomic<Int>(0)

    package func set(_ value: Int) {
        number.store(value, ordering: .relaxed)
    }

    package func add(_ amount: Int) {
        number.wrappingAdd(amount, ordering: .relaxed)
    }

    package var value: Int { number.load(ordering: .relaxed) }
}

/// The borders between the buckets of a histogram.
///
/// Values are whole numbers in a fine unit, so that an update is two additions; the exposition divides.
package struct Buckets: Sendable {
    /// Upper borders in the fine unit, ascending.
    package let borders: [Int]
    /// How many of the fine unit make one of the exposed unit.
    package let divisor: Int

    package init(_ borders: [Int], divisor: Int = 1) {
        precondition(borders.count <= Histogram.mostBorders, "a histogram has at most \(Histogram.mostBorders) borders")
        precondition(zip(borders, borders.dropFirst()).allSatisfy { $0 < $1 }, "the borders do not ascend")
        precondition(divisor > 0, "the divisor is not positive")
        self.borders = borders
        self.divisor = divisor
    }

    /// Seconds, 250 µs to 60 s: requests, transactions, files.
    ///
    /// Observed as `Duration`.
    package static let latency = Buckets(
        [
            250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
            5_000_000, 10_000_000, 30_000_000, 60_000_000,
        ],
        divisor: 1_000_000
    )

    /// Bytes, 256 B to 256 MiB in steps of four.
    package static let bytes = Buckets((4...14).map { 1 << ($0 * 2) })

    /// Numbers of things handled at once, 1 to 1024.
    package static let counts = Buckets((0...10).map { 1 << $0 })
}

/// How often values fell into which bucket.
package final class Histogram: Sendable {
    static let mostBorders = 19

    let buckets: Buckets
    /// Not cumulative; the last one in use has no upper border.
    private let counts = InlineArray<20, Atomic<Int>> { _ in Atomic(0) }
    private let total = Atomic<Int>(0)

    package init(_ buckets: Buckets) {
        self.buckets = buckets
    }

    /// Counts a value in the fine unit of the buckets.
    package func observe(_ value: Int) {
        let borders = buckets.borders
        var index = 0
        while index < borders.count, value > borders[index] { index += 1 }
        counts[index].wrappingAdd(1, ordering: .relaxed)
        total.wrappingAdd(value, ordering: .relaxed)
    }

    /// Counts a time; the fine unit of the buckets is the microsecond.
    package func observe(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        observe(Int(seconds) * 1_000_000 + Int(attoseconds / 1_000_000_000_000))
    }

    /// The counts of the buckets, the one without an upper border last; and the sum of the values.
    package var snapshot: (counts: [Int], sum: Int) {
        let counts = (0...buckets.borders.count).map { self.counts[$0].load(ordering: .relaxed) }
        return (counts, total.load(ordering: .relaxed))
    }
}
