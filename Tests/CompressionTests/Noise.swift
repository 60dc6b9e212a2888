/// Bytes and numbers that look random and are the same in every run.
struct Noise: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    /// SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }

    static func bytes(_ count: Int, seed: UInt64) -> [UInt8] {
        var noise = Noise(seed: seed)
        return (0..<count).map { _ in UInt8(truncatingIfNeeded: noise.next()) }
    }

    /// Text that compresses about as well as state does.
    static func text(_ count: Int, seed: UInt64) -> [UInt8] {
        var noise = Noise(seed: seed)
        let words = [
            "{\"urn\":\"urn:pulumi:dev::shop::", "aws:s3/bucket:Bucket", "\",\"custom\":true,", "\"id\":\"", "},",
        ]
        var text: [UInt8] = []
        while text.count < count {
            text += words[Int(noise.next() % 5)].utf8
            text += "\(noise.next() % 10_000)".utf8
        }
        return Array(text.prefix(count))
    }
}
