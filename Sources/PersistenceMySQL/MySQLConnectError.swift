/// Why no connection came about, in words for the operator.
///
/// `Server` shows the description at start and tries again where `isTransient` says that waiting may help. The text
/// names settings and what the server said, never the password.
package struct MySQLConnectError: Error, Sendable, CustomStringConvertible {
    package enum Kind: Sendable, Equatable, CaseIterable {
        /// Nothing answers: name, port, network, or the server is down.
        case unreachable
        /// It answers and has no room.
        case crowded
        case accessDenied
        case unknownDatabase
        /// The server's certificate is from an authority that was not named, or is out of date.
        case untrustedCertificate
        case wrongHostName
        /// No version of TLS that both sides allow.
        case tooLowTLSVersion
        case serverWithoutTLS
        case serverRequiresTLS
        /// The account uses a way to log in that is refused here.
        case authenticationMethod
        case otherTLS
        /// A setting of the session did not come back as set.
        case session
        case other
    }

    package let kind: Kind
    /// The number of the server or of the client library; 0 for `session`.
    package let code: Int
    /// What the server or the client library said.
    package let detail: String
    package let endpoint: MySQLEndpoint
    package let usesTLS: Bool

    package var isTransient: Bool {
        kind == .unreachable || kind == .crowded
    }

    package var description: String {
        "MySQL at \(endpoint): \(problem). The answer was: \(detail) (\(code))"
    }

    private var problem: String {
        switch kind {
        case .unreachable:
            "cannot be reached; check PULUMI_DATABASE_ENDPOINT, and that the server runs and accepts TCP connections"
        case .crowded:
            "has no room for another connection; raise max_connections, or the account's own limit"
        case .accessDenied:
            "refuses the account; check PULUMI_DATABASE_USER_NAME, PULUMI_DATABASE_USER_PASSWORD and its rights"
                // MariaDB says the same when it insists on TLS.
                + (usesTLS ? "" : ", and whether the server insists on TLS, which DATABASE_CA_CERTIFICATE turns on")
        case .unknownDatabase:
            "has no such database; create it, or check PULUMI_DATABASE_NAME"
        case .untrustedCertificate:
            "shows a certificate that is not signed by an authority of DATABASE_CA_CERTIFICATE or is out of date"
        case .wrongHostName:
            "shows a certificate for another host; use a name of the certificate in PULUMI_DATABASE_ENDPOINT"
        case .tooLowTLSVersion:
            "has no TLS version that DATABASE_MIN_TLS_VERSION allows; update the server, or lower the setting"
        case .serverWithoutTLS:
            "offers no TLS; give the server a certificate, or remove DATABASE_CA_CERTIFICATE and DATABASE_MIN_TLS_VERSION"
        case .serverRequiresTLS:
            "asks for TLS; set DATABASE_CA_CERTIFICATE and DATABASE_MIN_TLS_VERSION"
        case .authenticationMethod:
            "wants another way to log in than mysql_native_password, caching_sha2_password or sha256_password; "
                + "alter the account"
        case .otherTLS:
            "does not complete the TLS handshake"
        case .session:
            "does not take the settings that a session needs"
        case .other:
            "refuses the connection"
        }
    }
}

extension MySQLConnectError {
    /// Judges the error of a connection attempt.
    ///
    /// - Parameter password: taken out of the text, in case a server repeats it.
    package init(_ failure: MySQLError, endpoint: MySQLEndpoint, usesTLS: Bool, password: String) {
        let detail =
            password.utf8.count < 4 ? failure.message : Self.removing(password, from: failure.message)
        self.init(
            kind: Self.kind(failure),
            code: failure.code,
            detail: detail,
            endpoint: endpoint,
            usesTLS: usesTLS
        )
    }

    private static func kind(_ failure: MySQLError) -> Kind {
        switch unverifiedCode(in: failure) ?? failure.code {
        case 2002, 2003, 2005, 2006, 2012, 2013, 2055, 1053, 1129: .unreachable
        case 1040, 1203, 1226: .crowded
        case 1045, 1044, 1130, 1142, 1227, 1698, 1820, 1862, 3118, 4151: .accessDenied
        case 1049: .unknownDatabase
        case 3159: .serverRequiresTLS
        case 1251, 2049, 2059, 2061, 5010: .authenticationMethod
        case 2026: tlsKind(failure.message)
        default: .other
        }
    }

    /// The number of an error that the server sent before TLS was agreed on, as when it is full: the library hides it
    /// in the text of a connection error, because it may come from anybody.
    ///
    /// It decides about nothing but words and waiting.
    private static func unverifiedCode(in failure: MySQLError) -> Int? {
        guard failure.code == 2002, let start = failure.message.firstRange(of: "cannot be verified: ") else {
            return nil
        }
        return Int(failure.message[start.upperBound...].prefix { $0.isNumber })
    }

    /// The library has one number for everything about TLS and repeats OpenSSL's words.
    private static func tlsKind(_ message: String) -> Kind {
        let text = message.lowercased()
        func says(_ words: String...) -> Bool { words.contains { text.contains($0) } }
        if says("does not support") { return .serverWithoutTLS }
        if says("protocol version", "unsupported protocol", "wrong version", "no protocols available") {
            return .tooLowTLSVersion
        }
        if says("host", "validation of ssl server certificate failed", "certificate validation failure") {
            return .wrongHostName
        }
        if says("certificate", "self-signed", "self signed", "issuer", "expired") { return .untrustedCertificate }
        return .otherTLS
    }

    private static func removing(_ secret: String, from text: String) -> String {
        var result = ""
        var rest = text[...]
        while let range = rest.firstRange(of: secret) {
            result += rest[..<range.lowerBound]
            result += "[redacted]"
            rest = rest[range.upperBound...]
        }
        return result + rest
    }
}
