import Kernel
import Synchronization

/// Names requests: unique ids, made without asking the cryptographic generator for each of them.
///
/// An id only has to be found again in the log, so a counter behind a mixing function is enough; its beginning is random,
/// so that processes do not meet.
final class RequestIDs: Sendable {
    private let now: @Sendable () -> Timestamp
    private let seed: UInt64
    private let counter = Atomic<UInt64>(0)

    init(effects: Effects) {
        now = effects.now
        seed = effects.randomBytes(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    }

    func next() -> RequestID {
        let number = counter.wrappingAdd(1, ordering: .relaxed).newValue
        return RequestID(at: now(), random: (UInt16(truncatingIfNeeded: number), Self.mix(seed &+ number)))
    }

    /// The finalizer of SplitMix64: a bijection, so that different numbers give different ids.
    private static func mix(_ value: UInt64) -> UInt64 {
        var mixed = value &* 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
