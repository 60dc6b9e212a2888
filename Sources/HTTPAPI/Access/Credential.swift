package import Kernel

/// What a request presents in `Authorization`: a kind and a secret, not yet checked by anybody.
package struct Credential: Sendable, Equatable {
    /// Kinds are not interchangeable: each route says which one it takes.
    package enum Kind: Sendable, Equatable {
        /// `token X`, or `Bearer X`: a person or a machine.
        case token
        /// `update-token X`: the holder of the lease of a running update.
        case updateToken
    }

    package let kind: Kind
    package let secret: Redacted<String>

    package init(_ kind: Kind, _ secret: String) {
        self.kind = kind
        self.secret = Redacted(secret)
    }

    /// Reads the values of all `Authorization` headers of a request.
    ///
    /// A scheme we do not use, or one without exactly one word behind it, counts as no credential: the answer to it is
    /// the one that tells the user to log in. Schemes are compared without case (RFC 9110 §11.1).
    ///
    /// - Throws: `.invalidArgument` when there are several headers: we and whoever stands before us might choose
    ///   different ones.
    package static func read(_ values: [String]) throws(ServiceError) -> Credential? {
        guard values.count <= 1 else { throw .severalCredentials }
        guard let value = values.first else { return nil }
        let words = value.utf8.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        guard words.count == 2, let kind = kind(of: words[0]), let secret = String(words[1]) else { return nil }
        return Credential(kind, secret)
    }

    private static func kind(of scheme: Substring.UTF8View) -> Kind? {
        if matches(scheme, "token") || matches(scheme, "bearer") { return .token }
        if matches(scheme, "update-token") { return .updateToken }
        return nil
    }

    private static func matches(_ scheme: Substring.UTF8View, _ name: String) -> Bool {
        scheme.count == name.utf8.count
            && zip(scheme, name.utf8).allSatisfy { byte, expected in
                byte == expected || ((65...90).contains(byte) && byte | 0x20 == expected)
            }
    }
}
