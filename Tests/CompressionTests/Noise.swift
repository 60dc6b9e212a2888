import NoiseTestKit

extension Noise {
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
