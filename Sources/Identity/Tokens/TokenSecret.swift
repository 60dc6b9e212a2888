import Crypto
package import Kernel

/// The text of an access token: `pul-` and 40 lower-case hexadecimal digits.
///
/// That is the form public secret scanners know (`design/reliability-security.md` S-01). 128 bits are random; the last 32
/// are a checksum of them, so that a scanner can tell a token from noise. The installation may set a token of another
/// form, so none is refused for its form alone.
package struct TokenSecret: Sendable {
    /// The longest text that is looked up.
    package static let longest = 256
    private static let prefix = "pul-"

    package let text: Redacted<String>

    /// A new token.
    package init(effects: Effects) {
        let random = effects.randomBytes(16)
        let checksum = SHA256.hash(random).bytes.prefix(4)
        text = Redacted("\(Self.prefix)\(Hex.encode(random + checksum))")
    }

    /// A token that somebody presents or sets.
    ///
    /// - Returns: nil for text that no token can have: empty, too long, or with anything but visible ASCII.
    package init?(_ text: String) {
        let bytes = text.utf8
        guard (1...Self.longest).contains(bytes.count), bytes.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            return nil
        }
        self.text = Redacted(text)
    }

    /// What is stored and looked up.
    ///
    /// The tokens are random, so one round of SHA-256 is enough.
    package var hash: [UInt8] {
        SHA256.hash(text.reveal()).bytes
    }
}
