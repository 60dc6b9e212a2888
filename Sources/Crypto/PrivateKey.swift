import COpenSSL
package import Kernel

/// A private RSA key, as clouds give it to services.
package struct PrivateKey: Sendable {
    private let pem: SecretBytes

    /// Nil for a text that holds no RSA key, or one that is encrypted.
    package init?(pem text: Redacted<String>) {
        var bytes = Array(text.reveal().utf8)
        guard bytes.count < 1 << 16 else { return nil }
        pem = SecretBytes(wiping: &bytes)
        if sign([]) == nil { return nil }
    }

    /// A signature by PKCS #1 v1.5 with SHA-256: `RS256` of RFC 7518.
    package func sign(_ message: [UInt8]) -> [UInt8]? {
        var output = [UInt8](repeating: 0, count: 2048)
        let count = pem.withUnsafeBytes { pem in
            cairn_rs256(pem.baseAddress, Int32(pem.count), message, message.count, &output, output.count)
        }
        return count > 0 ? Array(output[..<count]) : nil
    }
}
