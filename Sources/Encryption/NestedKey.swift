import Crypto
import Kernel

/// A key under a key of its own, which only the holder of the master key can open.
///
/// That binds the key to what it is for where the service itself cannot: a byte for the format, the length of the outer
/// key's ciphertext in two, the ciphertext, and AES-256-GCM under the outer key: nonce, ciphertext, tag.
struct NestedKey {
    static let format: UInt8 = 2

    /// The outer key as its holder opens it.
    let blob: [UInt8]
    private let nonce: [UInt8]
    private let sealed: [UInt8]

    /// Nil for bytes that `seal` has not made.
    init?(_ bytes: [UInt8]) {
        let start = 3
        guard bytes.count > start, bytes[0] == Self.format else { return nil }
        let end = start + Int(bytes[1]) << 8 + Int(bytes[2])
        let rest = end + AES256GCM.nonceCount
        guard bytes.count >= rest + AES256GCM.tagCount else { return nil }
        blob = Array(bytes[start..<end])
        nonce = Array(bytes[end..<rest])
        sealed = Array(bytes[rest...])
    }

    /// - Parameter blob: the outer key's ciphertext, at most 65,535 bytes.
    static func seal(_ key: SecretBytes, under outer: SecretBytes, _ blob: [UInt8], context: [UInt8]) -> [UInt8] {
        let nonce = Random.bytes(AES256GCM.nonceCount)
        var plaintext = key.withUnsafeBytes { Array($0) }
        let sealed = AES256GCM.seal(plaintext, key: outer, nonce: nonce, context: context)
        plaintext.withUnsafeMutableBytes { SecretBytes.wipe($0) }
        return [format, UInt8(blob.count >> 8), UInt8(blob.count & 0xFF)] + blob + nonce + sealed
    }

    /// - Throws: `.damaged` when it was made with another key or for another context.
    func open(with outer: SecretBytes, context: [UInt8]) throws -> SecretBytes {
        guard outer.count == AES256GCM.keyCount,
            let key = AES256GCM.open(sealed, key: outer, nonce: nonce, context: context)
        else { throw ServiceError.damagedKey(nil) }
        return key
    }
}

extension ServiceError {
    /// A wrapped key that is not genuine, or belongs to another context.
    static func damagedKey(_ cause: (any Error)?) -> ServiceError {
        ServiceError(.damaged, "A wrapped key is damaged or belongs elsewhere", cause: cause)
    }
}
