import COpenSSL

/// SHA-256 over bytes that come in pieces.
///
/// ```swift
/// var hash = SHA256()
/// for piece in pieces { hash.update(piece) }
/// let digest = hash.finish()
/// ```
///
/// SAFETY: `@unchecked` because of the pointer, which has exactly one owner: the value cannot be copied.
package struct SHA256: ~Copyable, @unchecked Sendable {
    private let context: OpaquePointer

    package init() {
        context = required(EVP_MD_CTX_new(), "a digest context")
        begin()
    }

    deinit {
        EVP_MD_CTX_free(context)
    }

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        check(EVP_DigestUpdate(context, bytes.baseAddress, bytes.count), "SHA-256")
    }

    package mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    package mutating func update(_ bytes: ArraySlice<UInt8>) {
        bytes.withUnsafeBytes { update($0) }
    }

    /// The digest of everything since the last beginning; the next `update` begins anew.
    package mutating func finish() -> Digest {
        let digest = Digest { check(EVP_DigestFinal_ex(context, $0, nil), "SHA-256") }
        begin()
        return digest
    }

    private func begin() {
        check(EVP_DigestInit_ex2(context, Library.sha256, nil), "SHA-256")
    }
}

// MARK: - In one call

extension SHA256 {
    package static func hash(_ bytes: UnsafeRawBufferPointer) -> Digest {
        Digest { check(EVP_Digest(bytes.baseAddress, bytes.count, $0, nil, Library.sha256, nil), "SHA-256") }
    }

    package static func hash(_ bytes: [UInt8]) -> Digest {
        bytes.withUnsafeBytes { hash($0) }
    }

    package static func hash(_ bytes: ArraySlice<UInt8>) -> Digest {
        bytes.withUnsafeBytes { hash($0) }
    }

    /// The digest of the text's UTF-8 bytes, as for tokens that are stored hashed.
    package static func hash(_ text: String) -> Digest {
        var text = text
        return text.withUTF8 { hash(UnsafeRawBufferPointer($0)) }
    }
}
