import COpenSSL
package import Kernel

/// AES-256 in Galois/Counter Mode with 96-bit nonces and 128-bit tags.
///
/// A nonce must never be used twice under one key. Holds a context of the library, so that many small values can be
/// sealed one after the other, each under its own key.
package struct AES256GCM: ~Copyable {
    package static let keyCount = 32
    package static let nonceCount = 12
    package static let tagCount = 16
    /// The longest plaintext (NIST SP 800-38D §5.2.1.1 allows a little more).
    package static let longestPlaintext = 1 << 35

    private let context: OpaquePointer
    /// One update takes a 32-bit count.
    private static let piece = 1 << 30

    package init() {
        context = required(EVP_CIPHER_CTX_new(), "a cipher context")
        check(EVP_CipherInit_ex2(context, Library.aes256GCM, nil, nil, 1, nil), "AES-256-GCM")
    }

    deinit {
        EVP_CIPHER_CTX_free(context)
    }

    /// Writes the ciphertext and the tag behind it.
    ///
    /// - Parameters:
    ///   - key: 32 bytes.
    ///   - nonce: 12 bytes.
    ///   - context: bytes that `open` must be given again.
    ///   - output: `tagCount` bytes more than the plaintext.
    package mutating func seal(
        _ plaintext: UnsafeRawBufferPointer,
        key: UnsafeRawBufferPointer,
        nonce: UnsafeRawBufferPointer,
        context associated: UnsafeRawBufferPointer,
        into output: UnsafeMutableRawBufferPointer
    ) {
        precondition(output.count == plaintext.count + Self.tagCount, "the output has the wrong length")
        begin(key: key, nonce: nonce, context: associated, isSealing: true)
        let bytes = output.assumingMemoryBound(to: UInt8.self)
        guard let start = bytes.baseAddress else { return }
        process(plaintext, into: start)
        var count: Int32 = 0
        let tag = start + plaintext.count
        check(EVP_CipherFinal_ex(context, tag, &count), "AES-256-GCM")
        check(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(Self.tagCount), tag), "AES-256-GCM")
    }

    /// Writes the plaintext, if key, nonce, context, ciphertext and tag belong together.
    ///
    /// - Parameters:
    ///   - sealed: what `seal` wrote.
    ///   - output: `tagCount` bytes less than `sealed`; zeroed when the answer is false.
    /// - Returns: whether the tag is right. Nothing of `output` may be used when it is not.
    package mutating func open(
        _ sealed: UnsafeRawBufferPointer,
        key: UnsafeRawBufferPointer,
        nonce: UnsafeRawBufferPointer,
        context associated: UnsafeRawBufferPointer,
        into output: UnsafeMutableRawBufferPointer
    ) -> Bool {
        guard sealed.count >= Self.tagCount else { return false }
        let border = sealed.count - Self.tagCount
        precondition(output.count == border, "the output has the wrong length")
        begin(key: key, nonce: nonce, context: associated, isSealing: false)
        var tag = Array(sealed[border...])
        check(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(Self.tagCount), &tag), "AES-256-GCM")
        if let start = output.assumingMemoryBound(to: UInt8.self).baseAddress {
            process(UnsafeRawBufferPointer(rebasing: sealed[..<border]), into: start)
        }
        var count: Int32 = 0
        var nothing: UInt8 = 0
        if EVP_CipherFinal_ex(context, &nothing, &count) == 1 { return true }
        ERR_clear_error()
        SecretBytes.wipe(output)
        return false
    }

    private func begin(
        key: UnsafeRawBufferPointer,
        nonce: UnsafeRawBufferPointer,
        context associated: UnsafeRawBufferPointer,
        isSealing: Bool
    ) {
        precondition(key.count == Self.keyCount, "AES-256 takes a key of \(Self.keyCount) bytes")
        precondition(nonce.count == Self.nonceCount, "AES-256-GCM takes a nonce of \(Self.nonceCount) bytes")
        let key = key.assumingMemoryBound(to: UInt8.self).baseAddress
        let nonce = nonce.assumingMemoryBound(to: UInt8.self).baseAddress
        check(EVP_CipherInit_ex2(context, nil, key, nonce, isSealing ? 1 : 0, nil), "AES-256-GCM")
        process(associated, into: nil)
    }

    private func process(_ input: UnsafeRawBufferPointer, into output: UnsafeMutablePointer<UInt8>?) {
        precondition(input.count <= Self.longestPlaintext, "AES-256-GCM takes at most \(Self.longestPlaintext) bytes")
        guard let start = input.assumingMemoryBound(to: UInt8.self).baseAddress else { return }
        var done = 0
        while done < input.count {
            let size = min(Self.piece, input.count - done)
            var count: Int32 = 0
            check(EVP_CipherUpdate(context, output.map { $0 + done }, &count, start + done, Int32(size)), "AES-256-GCM")
            done += size
        }
    }
}

// MARK: - In one call

extension AES256GCM {
    /// The ciphertext with its tag behind it.
    package static func seal(
        _ plaintext: [UInt8],
        key: SecretBytes,
        nonce: [UInt8],
        context associated: [UInt8]
    ) -> [UInt8] {
        var cipher = AES256GCM()
        var output = [UInt8](repeating: 0, count: plaintext.count + tagCount)
        output.withUnsafeMutableBytes { output in
            plaintext.withUnsafeBytes { plaintext in
                key.withUnsafeBytes { key in
                    nonce.withUnsafeBytes { nonce in
                        associated.withUnsafeBytes { associated in
                            cipher.seal(plaintext, key: key, nonce: nonce, context: associated, into: output)
                        }
                    }
                }
            }
        }
        return output
    }

    /// The plaintext, or nil when the parts do not belong together.
    package static func open(
        _ sealed: [UInt8],
        key: SecretBytes,
        nonce: [UInt8],
        context associated: [UInt8]
    ) -> SecretBytes? {
        guard sealed.count >= tagCount, nonce.count == nonceCount else { return nil }
        var cipher = AES256GCM()
        var isGenuine = false
        let plaintext = SecretBytes(count: sealed.count - tagCount) { output in
            isGenuine = sealed.withUnsafeBytes { sealed in
                key.withUnsafeBytes { key in
                    nonce.withUnsafeBytes { nonce in
                        associated.withUnsafeBytes { associated in
                            cipher.open(sealed, key: key, nonce: nonce, context: associated, into: output)
                        }
                    }
                }
            }
        }
        return isGenuine ? plaintext : nil
    }
}
