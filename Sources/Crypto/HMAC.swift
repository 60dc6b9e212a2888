import COpenSSL
package import Kernel

/// HMAC-SHA-256 (RFC 2104) over bytes that come in pieces, under a key that can be changed.
///
/// SAFETY: `@unchecked` because of the pointer, which has exactly one owner: the value cannot be copied.
package struct HMAC: ~Copyable, @unchecked Sendable {
    private let context: OpaquePointer

    /// Ready for a key; only `restart(key:)` may follow.
    init() {
        context = required(EVP_MAC_CTX_new(Library.hmac), "an HMAC context")
        check(cairn_hmac_use_sha256(context), "HMAC")
    }

    package init(key: [UInt8]) {
        self.init()
        key.withUnsafeBytes { restart(key: $0) }
    }

    package init(key: SecretBytes) {
        self.init()
        key.withUnsafeBytes { restart(key: $0) }
    }

    deinit {
        EVP_MAC_CTX_free(context)
    }

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        check(EVP_MAC_update(context, bytes.assumingMemoryBound(to: UInt8.self).baseAddress, bytes.count), "HMAC")
    }

    package mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    /// The code of everything since the last beginning; the next `update` begins anew under the same key.
    package mutating func finish() -> Digest {
        let code = Digest { finish(into: $0) }
        check(EVP_MAC_init(context, nil, 0, nil), "HMAC")
        return code
    }

    /// The code in one call.
    package static func code(of bytes: [UInt8], key: [UInt8]) -> Digest {
        var code = HMAC(key: key)
        code.update(bytes)
        return code.finish()
    }

    /// Begins anew under another key.
    mutating func restart(key: UnsafeRawBufferPointer) {
        // A null key would mean "the same key"; an empty key is a key.
        var nothing: UInt8 = 0
        let start = key.assumingMemoryBound(to: UInt8.self).baseAddress
        check(withUnsafePointer(to: &nothing) { EVP_MAC_init(context, start ?? $0, key.count, nil) }, "HMAC")
    }

    /// Begins anew under the same key.
    mutating func restart() {
        check(EVP_MAC_init(context, nil, 0, nil), "HMAC")
    }

    /// Writes 32 bytes.
    ///
    /// Only `restart` may follow.
    mutating func finish(into output: UnsafeMutablePointer<UInt8>) {
        var count = 0
        check(EVP_MAC_final(context, output, &count, Digest.count), "HMAC")
    }
}
