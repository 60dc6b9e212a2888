/// SHA-256 over text that comes in pieces.
///
/// `Crypto` supplies it; the pure core only asks.
package protocol StreamingHash {
    mutating func update(_ bytes: ArraySlice<UInt8>)

    /// The 32 bytes of the digest.
    ///
    /// The hash is used up afterwards.
    mutating func finalize() -> [UInt8]
}

/// Makes a SHA-256 that has seen nothing yet.
package typealias HashMaker = @Sendable () -> any StreamingHash

/// Hexadecimal text of digests, always lower case.
package enum Hexadecimal {
    package static func encode(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}

/// The lower-case hexadecimal SHA-256 of `pieces` one after the other.
package func hexadecimalHash(of pieces: [ArraySlice<UInt8>], _ hash: HashMaker) -> String {
    var hasher = hash()
    for piece in pieces { hasher.update(piece) }
    return Hexadecimal.encode(hasher.finalize())
}
