import Persistence
import PersistenceMySQL
import Testing

@Suite("The numbers of MySQL's errors")
struct MySQLErrorsTests {
    enum Kind {
        case retryable, duplicate, unavailable, unknownCommit, statement, corrupt

        init(_ error: DatabaseError) {
            self =
                switch error {
                case .retryable: .retryable
                case .duplicate: .duplicate
                case .unavailable: .unavailable
                case .unknownCommit: .unknownCommit
                case .statement: .statement
                case .corrupt: .corrupt
                }
        }
    }

    @Test(
        "of statements decide about the caller and the connection",
        arguments: [
            (1213, .retryable, .keep), (1205, .retryable, .keep), (1020, .retryable, .keep), (1243, .retryable, .drop),
            (1062, .duplicate, .keep), (1586, .duplicate, .keep),
            (1290, .unavailable, .dropAll), (1792, .unavailable, .dropAll), (1836, .unavailable, .dropAll),
            (1969, .unavailable, .keep), (3024, .unavailable, .keep), (1317, .unavailable, .keep),
            (1021, .unavailable, .keep), (1114, .unavailable, .keep), (1041, .unavailable, .keep),
            (1040, .unavailable, .drop), (2006, .unavailable, .drop), (2013, .unavailable, .drop),
            (1053, .unavailable, .drop), (1927, .unavailable, .drop), (4031, .unavailable, .drop),
            (2014, .statement, .drop), (2027, .statement, .drop), (5013, .statement, .drop),
            (1064, .statement, .keep), (1146, .statement, .keep), (1406, .statement, .keep), (1451, .statement, .keep),
            (145, .corrupt, .keep), (1712, .corrupt, .keep),
        ] as [(Int, Kind, MySQLVerdict.Connection)]
    )
    func statements(code: Int, kind: Kind, connection: MySQLVerdict.Connection) {
        let verdict = MySQLVerdict.statement(
            MySQLError(code: code, message: "m"),
            sql: "SELECT 1",
            isReadOnly: false
        )

        #expect(Kind(verdict.error) == kind)
        #expect(verdict.connection == connection)
        #expect(verdict.endsTransaction == ![.duplicate, .statement].contains(kind) || connection != .keep)
    }

    @Test("of a write in a read are a mistake of ours")
    func writeInRead() {
        let verdict = MySQLVerdict.statement(
            MySQLError(code: 1792, message: "m"),
            sql: "DELETE FROM t",
            isReadOnly: true
        )

        #expect(Kind(verdict.error) == .statement)
        #expect(verdict.connection == .keep)
    }

    @Test(
        "of a commit say whether it is known not to have happened",
        arguments: [
            (1213, .retryable, .drop), (1205, .retryable, .drop), (3101, .retryable, .drop),
            (1290, .unavailable, .dropAll), (1792, .unavailable, .dropAll),
            (2006, .unknownCommit, .drop), (2013, .unknownCommit, .drop), (1053, .unknownCommit, .drop),
            (1317, .unknownCommit, .drop), (1180, .unknownCommit, .drop), (1234, .unknownCommit, .drop),
        ] as [(Int, Kind, MySQLVerdict.Connection)]
    )
    func commits(code: Int, kind: Kind, connection: MySQLVerdict.Connection) {
        let verdict = MySQLVerdict.commit(MySQLError(code: code, message: "m"))

        #expect(Kind(verdict.error) == kind)
        #expect(verdict.connection == connection)
    }

    @Test(
        "of duplicates name the key",
        arguments: [
            ("Duplicate entry 'a' for key 'PRIMARY'", "PRIMARY"),
            ("Duplicate entry 'a' for key 'stacks.by_name'", "by_name"),
            ("Duplicate entry 'it's 'for key'' for key 'by_name'", "by_name"),
            ("Duplicate entry '' for key 't.a.b'", "b"),
            ("Duplicate entry", ""),
            ("", ""),
        ]
    )
    func duplicateKeys(message: String, key: String) {
        #expect(MySQLVerdict.duplicateKey(in: message) == key)
    }

    @Test(
        "of connection attempts say what is wrong",
        arguments: [
            (2002, "Can't connect to server on 'db' (111)", .unreachable),
            (2005, "Unknown server host 'db' (-2)", .unreachable),
            (2013, "Lost connection to server at 'handshake'", .unreachable),
            (1040, "Too many connections", .crowded),
            (2002, "… The authenticity of the following error cannot be verified: 1040 - Too many", .crowded),
            (2002, "… error cannot be verified: x - Too many", .unreachable),
            (1045, "Access denied for user 'u'@'h' (using password: YES)", .accessDenied),
            (1044, "Access denied for user 'u'@'h' to database 'd'", .accessDenied),
            (1049, "Unknown database 'd'", .unknownDatabase),
            (2026, "TLS/SSL error: unable to get local issuer certificate", .untrustedCertificate),
            (2026, "TLS/SSL error: self-signed certificate in certificate chain", .untrustedCertificate),
            (2026, "TLS/SSL error: certificate has expired", .untrustedCertificate),
            (2026, "TLS/SSL error: Validation of SSL server certificate failed", .wrongHostName),
            (2026, "TLS/SSL error: Hostname verification failed", .wrongHostName),
            (2026, "TLS/SSL error: tlsv1 alert protocol version", .tooLowTLSVersion),
            (2026, "TLS/SSL error: unsupported protocol", .tooLowTLSVersion),
            (2026, "TLS/SSL error: SSL is required, but the server does not support it", .serverWithoutTLS),
            (2026, "TLS/SSL error: something new", .otherTLS),
            (3159, "Connections using insecure transport are prohibited", .serverRequiresTLS),
            (2059, "Authentication plugin 'x' cannot be loaded", .authenticationMethod),
            (5010, "Authentication plugin 'mysql_clear_password' not allowed", .authenticationMethod),
            (9999, "?", .other),
        ] as [(Int, String, MySQLConnectError.Kind)]
    )
    func connecting(code: Int, message: String, kind: MySQLConnectError.Kind) {
        let error = MySQLConnectError(
            MySQLError(code: code, message: message),
            endpoint: MySQLEndpoint(host: "db"),
            usesTLS: true,
            password: ""
        )

        #expect(error.kind == kind)
        #expect(error.description.contains("db:3306"))
        #expect(error.description.contains(message))
    }

    @Test("of connection attempts never repeat the password")
    func redacts() {
        let error = MySQLConnectError(
            MySQLError(code: 1045, message: "hunter22: denied, hunter22"),
            endpoint: MySQLEndpoint(host: "db"),
            usesTLS: false,
            password: "hunter22"
        )

        #expect(error.detail == "[redacted]: denied, [redacted]")
    }
}
