import COpenSSL

/// The algorithms of libcrypto that this module uses, looked up once.
///
/// A look-up by name at each call costs more than hashing a token does. An OpenSSL without one of them cannot run the
/// service, so a failure ends the process at the first use.
enum Library {
    // SAFETY: never changed after they are made; OpenSSL counts references to them atomically.
    nonisolated(unsafe) static let sha256 = required(EVP_MD_fetch(nil, "SHA2-256", nil), "SHA-256")
    nonisolated(unsafe) static let hmac = required(EVP_MAC_fetch(nil, "HMAC", nil), "HMAC")
    nonisolated(unsafe) static let aes256GCM = required(EVP_CIPHER_fetch(nil, "AES-256-GCM", nil), "AES-256-GCM")
}

/// The pointer, or the end of the process: nothing that a client sends leads here.
func required<Pointer>(_ pointer: Pointer?, _ what: String) -> Pointer {
    guard let pointer else { preconditionFailure("OpenSSL does not give \(what); is its configuration complete?") }
    return pointer
}

/// Ends the process when a call failed that only a lack of memory or a broken library makes fail.
func check(_ result: Int32, _ what: String) {
    precondition(result == 1, "OpenSSL's \(what) failed")
}
