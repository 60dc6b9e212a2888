package import Kernel

/// Somebody whose word an organization takes for who a program is: the signer of a pipeline's identity tokens.
package struct OIDCIssuer: Sendable, Equatable {
    package var id: OIDCIssuerID
    package var organization: OrganizationID
    package var name: String
    /// Where its documents are.
    package var url: String
    /// What it calls itself, and what the claim `iss` of its tokens must be to the letter.
    package var issuer: String
    /// Certificates that are trusted although no authority signed them: SHA-256 in lower-case hexadecimal.
    package var thumbprints: [String]
    /// Keys that were given instead of being fetched, as a JWK set.
    package var keys: String?
    /// The longest life of a token given in exchange, in seconds.
    package var maxExpiration: Int
    /// Who registered it, and answers for the tokens of the organization that are given in exchange.
    package var createdBy: UserID
    package var createdAt: Timestamp
    package var modifiedAt: Timestamp
    package var lastUsedAt: Timestamp?
}

extension OIDCIssuer {
    /// 25 hours, as the vendor's server has it (`spec/rest-wider.md` §6).
    package static let usualExpiration = 90_000
    package static let expirations = 60...2_592_000
    private static let longestName = 100
    private static let longestURL = 500
    private static let mostThumbprints = 10

    static func check(name: String) throws(ServiceError) -> String {
        let scalars = name.unicodeScalars
        guard OrganizationTokenName.hasVisibleForm(name), scalars.count <= longestName else {
            throw .invalid("name", "has 1 to \(longestName) characters, no control characters, and no blank at an end")
        }
        return name
    }

    static func check(maxExpiration seconds: Int?) throws(ServiceError) -> Int {
        guard let seconds, seconds != 0 else { return usualExpiration }
        guard expirations.contains(seconds) else {
            throw .invalid("maxExpiration", "is a number of seconds from 60 to 2592000")
        }
        return seconds
    }

    static func check(thumbprints: [String]) throws(ServiceError) -> [String] {
        let digits = thumbprints.map { $0.lowercased() }
        guard digits.count <= mostThumbprints, digits.allSatisfy(isThumbprint) else {
            throw .invalid(
                "thumbprints",
                "are at most \(mostThumbprints) SHA-256 digests of certificates, each of 64 hexadecimal digits"
            )
        }
        return digits
    }

    private static func isThumbprint(_ text: String) -> Bool {
        text.utf8.count == 64 && text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }

    /// Whether text can be where an issuer is: `https`, with a host, and nothing behind the path.
    ///
    /// Without TLS it can only be this machine, where tests are; whether that is connected to at all is decided
    /// elsewhere.
    static func isURL(_ text: String) -> Bool {
        let plain = ["http://127.0.0.1", "http://localhost", "http://[::1]"]
        let isLocal = plain.contains { start in
            text.hasPrefix(start) && [nil, ":", "/"].contains(text.dropFirst(start.count).first)
        }
        guard text.utf8.count <= longestURL, text.hasPrefix("https://") || isLocal else { return false }
        let rest = text.utf8.drop { $0 != UInt8(ascii: "/") }.dropFirst(2)
        guard let first = rest.first, first != UInt8(ascii: "/"), first != UInt8(ascii: ":") else { return false }
        let refused = Array("?#@\\\"<>^`{|}%".utf8)
        return rest.allSatisfy { (0x21...0x7E).contains($0) && !refused.contains($0) }
    }
}
