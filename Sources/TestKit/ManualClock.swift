package import Kernel

/// The impure world in the hands of a test: time that stands still until the test moves it, and repeatable bytes.
package final class ManualClock: Sendable {
    private struct State: Sendable {
        var now: Timestamp
        var seed: UInt64
    }

    private let state: Locked<State>

    /// - Parameters:
    ///   - now: 2030-01-01T00:00:00Z by default, far from every default that code may fall back to.
    ///   - seed: two clocks with one seed give the same bytes.
    package init(now: Timestamp = Timestamp(seconds: 1_893_456_000), seed: UInt64 = 1) {
        state = Locked(State(now: now, seed: seed))
    }

    package var now: Timestamp {
        get { state.withLock { $0.now } }
        set { state.withLock { $0.now = newValue } }
    }

    package func advance(by duration: Duration) {
        state.withLock { $0.now = $0.now.advanced(by: duration) }
    }

    /// What services under test are given.
    package var effects: Effects {
        Effects(now: { self.now }, randomBytes: { self.bytes($0) })
    }

    /// SplitMix64, which has no short cycles and no weak seeds.
    private func bytes(_ count: Int) -> [UInt8] {
        state.withLock { state in
            var result: [UInt8] = []
            result.reserveCapacity(count + 7)
            while result.count < count {
                state.seed &+= 0x9E37_79B9_7F4A_7C15
                var word = state.seed
                word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
                word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
                word ^= word >> 31
                withUnsafeBytes(of: word) { result.append(contentsOf: $0) }
            }
            return Array(result.prefix(count))
        }
    }
}
