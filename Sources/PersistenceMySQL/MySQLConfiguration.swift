package import Kernel

/// How to reach a database and how much of it to use.
package struct MySQLConfiguration: Sendable {
    package var endpoint: MySQLEndpoint
    /// Empty for none, as before it is made.
    package var database: String
    package var user: String
    package var password: Redacted<String>
    /// Nil for a connection in clear text.
    package var tls: TLS?
    package var limits: Limits

    package init(
        endpoint: MySQLEndpoint,
        database: String,
        user: String,
        password: Redacted<String> = Redacted(""),
        tls: TLS? = nil,
        limits: Limits = Limits()
    ) {
        self.endpoint = endpoint
        self.database = database
        self.user = user
        self.password = password
        self.tls = tls
        self.limits = limits
    }

    /// Bounds of the pool and of its waits.
    package struct Limits: Sendable {
        /// Connections, and threads with them.
        package var connections = 16
        /// Closures that may wait for a connection.
        package var queue = 256
        /// The longest wait for a connection.
        package var wait = Duration.seconds(5)
        /// The longest time for one `read`; a statement of it is stopped by the server after as long.
        package var read = Duration.seconds(10)
        /// A connection without work is closed after this.
        package var idle = Duration.seconds(600)
        /// A connection is replaced after this, so that its memory on the server and the name's address stay fresh.
        package var age = Duration.seconds(3600)
        /// A connection that was idle for longer is asked whether it is alive.
        package var silence = Duration.seconds(30)
        /// Prepared statements per connection.
        package var statements = 128
        package var connect = Duration.seconds(5)
        /// The longest wait for bytes of the server, and for the server to take some.
        package var socket = Duration.seconds(30)
        /// The longest wait for another transaction's row lock.
        package var lock = Duration.seconds(5)
        /// The longest wait for another process's migration.
        package var migrationLock = Duration.seconds(300)
        /// How long one change of the schema waits for the transactions that use the table.
        package var schemaLock = Duration.seconds(15)
        /// How often a change of the schema is tried again that has waited so long.
        package var schemaLockRetries = 20
        /// The longest wait for one statement of a migration: rebuilding a large table takes its time.
        package var migrationStatement = Duration.seconds(3600)

        package init() {}
    }
}

// MARK: - TLS

extension MySQLConfiguration {
    /// Always with the server's certificate and host name verified.
    package struct TLS: Sendable, Equatable {
        /// One or more certificates as PEM text.
        package let certificateAuthority: String
        package let minimumVersion: Version

        package init(certificateAuthority: String, minimumVersion: Version) throws(MySQLConfigurationProblem) {
            self.certificateAuthority = try Self.pem(certificateAuthority)
            self.minimumVersion = minimumVersion
        }

        /// Reads the two settings, which make sense together only.
        ///
        /// - Parameter fallback: the version where none is set; nil where one must be.
        /// - Returns: nil when both are missing: a connection in clear text.
        /// - Throws: when one is missing, so that nobody gets clear text who asked for TLS, or when one is wrong.
        package init?(
            certificateAuthority: String?,
            minimumVersion: String?,
            fallback: Version? = nil
        ) throws(MySQLConfigurationProblem) {
            switch (certificateAuthority, minimumVersion) {
            case (nil, nil):
                return nil
            case (nil, _?):
                throw .certificateAuthorityMissing
            case (let authority?, nil):
                guard let fallback else { throw .minimumVersionMissing }
                try self.init(certificateAuthority: authority, minimumVersion: fallback)
            case (let authority?, let minimum?):
                guard let version = Version(rawValue: minimum) else { throw .unknownVersion(minimum) }
                try self.init(certificateAuthority: authority, minimumVersion: version)
            }
        }

        /// Checks that a text holds certificates, with real line ends: some tools that set environment variables leave
        /// `\n` as two characters.
        private static func pem(_ text: String) throws(MySQLConfigurationProblem) -> String {
            let begin = "-----BEGIN CERTIFICATE-----"
            let end = "-----END CERTIFICATE-----"
            guard text.contains(begin) else {
                let first = text.prefix { !$0.isNewline }
                let looksLikePath = first.count == text.count && first.utf8.count < 4096 && !first.hasPrefix("-----")
                throw looksLikePath ? .certificateAuthorityIsPath(text) : .certificateAuthorityHasNoCertificate
            }
            let lines = text.contains("\n") ? text : text.split(separator: "\\n").joined(separator: "\n")
            let begins = lines.split(separator: "\n").count { $0.hasPrefix(begin) }
            let ends = lines.split(separator: "\n").count { $0.hasPrefix(end) }
            guard begins > 0, begins == ends else { throw .certificateAuthorityIsCut }
            return lines.hasSuffix("\n") ? lines : lines + "\n"
        }
    }

    /// A version of TLS, written as operators write it.
    package enum Version: String, Sendable, CaseIterable {
        case v10 = "1.0"
        case v11 = "1.1"
        case v12 = "1.2"
        case v13 = "1.3"

        /// Whether it was withdrawn (RFC 8996) and stays for servers that know no other.
        var isOld: Bool { self == .v10 || self == .v11 }

        /// This version and the later ones, as the client library takes them.
        var andLater: String {
            Self.allCases.drop { $0 != self }.map { "TLSv\($0.rawValue)" }.joined(separator: ",")
        }
    }
}

/// What is wrong with the settings of a connection to MySQL, one line that names the setting.
package enum MySQLConfigurationProblem: Error, Sendable, Equatable, CustomStringConvertible {
    case certificateAuthorityMissing
    case minimumVersionMissing
    case unknownVersion(String)
    case certificateAuthorityIsPath(String)
    case certificateAuthorityHasNoCertificate
    case certificateAuthorityIsCut
    case certificateAuthorityUnusable(String)

    package var description: String {
        switch self {
        case .certificateAuthorityMissing:
            "DATABASE_CA_CERTIFICATE is not set although DATABASE_MIN_TLS_VERSION is; set both, or neither"
        case .minimumVersionMissing:
            "DATABASE_MIN_TLS_VERSION is not set although DATABASE_CA_CERTIFICATE is; set both, or neither"
        case .unknownVersion(let text):
            "DATABASE_MIN_TLS_VERSION is '\(text)'; it takes \(accepted)"
        case .certificateAuthorityIsPath(let text):
            "DATABASE_CA_CERTIFICATE expects PEM text; '\(text)' looks like a file path"
        case .certificateAuthorityHasNoCertificate:
            "DATABASE_CA_CERTIFICATE expects PEM text with at least one certificate"
        case .certificateAuthorityIsCut:
            "DATABASE_CA_CERTIFICATE has a certificate whose first or last line is missing"
        case .certificateAuthorityUnusable(let reason):
            "DATABASE_CA_CERTIFICATE cannot be handed to the client library: \(reason)"
        }
    }

    private var accepted: String {
        MySQLConfiguration.Version.allCases.map(\.rawValue).joined(separator: ", ")
    }
}
