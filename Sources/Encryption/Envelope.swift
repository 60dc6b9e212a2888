import Crypto
package import Kernel

/// The form of an encrypted value.
///
/// ```
/// 0        1        2          18         50         62          94
/// version  cipher   data key   salt       nonce      commitment  ciphertext  tag
/// 1 byte   1 byte   16 bytes   32 bytes   12 bytes   32 bytes    …           16 bytes
/// ```
///
/// Key and commitment are the 64 bytes of HKDF-SHA-256(data key, salt, `value/v1`); the value is encrypted with
/// AES-256-GCM under the derived key. A key for each value takes the limit off random nonces, and the commitment, which
/// is compared before anything is decrypted, ties a ciphertext to one key, which GCM alone does not.
///
/// Associated data: version, cipher, data key, then the owner. The text a client sees is its Base64.
package enum Envelope {
    /// How much longer than the plaintext an encrypted value is.
    package static let overhead = 110

    static let version: UInt8 = 1
    static let aes256GCM: UInt8 = 1
    static let salt = 18..<50
    static let nonce = 50..<62
    static let commitment = 62..<94
    static let ciphertext = 94
    static let info = Array("value/v1".utf8)

    /// Version, cipher and data key.
    static func header(_ key: DataKeyID) -> [UInt8] {
        [version, aes256GCM] + key.rawBytes
    }

    /// The data keys that the values need, each once.
    ///
    /// - Throws: `.messageAuthenticationFailed` when one of them is no encrypted value.
    package static func dataKeys(of values: [[UInt8]]) throws -> Set<DataKeyID> {
        var keys: Set<DataKeyID> = []
        var last: [UInt8] = []
        for value in values {
            guard value.count >= overhead, value[0] == version, value[1] == aes256GCM else {
                throw ServiceError.messageAuthenticationFailed
            }
            if value[2..<salt.lowerBound].elementsEqual(last) { continue }
            last = Array(value[2..<salt.lowerBound])
            guard let key = DataKeyID(rawBytes: last) else { throw ServiceError.messageAuthenticationFailed }
            keys.insert(key)
        }
        return keys
    }
}

extension ServiceError {
    /// A ciphertext that is broken, of another owner, or of a key that does not exist; which of them is not told.
    ///
    /// The text is the one that clients know (`spec/cli-protocol.md` §7.2).
    package static let messageAuthenticationFailed = ServiceError(.invalidArgument, "Message authentication failed")
}
