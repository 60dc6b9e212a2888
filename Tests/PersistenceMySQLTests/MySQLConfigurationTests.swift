import Kernel
import PersistenceMySQL
import Testing

@Suite("The settings of a connection to MySQL")
struct MySQLConfigurationTests {
    private static let certificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"

    @Test("have no TLS when both settings are missing")
    func clearText() throws {
        #expect(try MySQLConfiguration.TLS(certificateAuthority: nil, minimumVersion: nil) == nil)
    }

    @Test("take certificates and every version", arguments: MySQLConfiguration.Version.allCases)
    func complete(version: MySQLConfiguration.Version) throws {
        let tls = try MySQLConfiguration.TLS(
            certificateAuthority: Self.certificate,
            minimumVersion: version.rawValue
        )

        #expect(tls?.minimumVersion == version)
        #expect(tls?.certificateAuthority == Self.certificate)
    }

    @Test(
        "refuse half of TLS, and what is no certificate or version",
        arguments: [
            (certificate, nil, .minimumVersionMissing),
            (nil, "1.2", .certificateAuthorityMissing),
            (certificate, "1.4", .unknownVersion("1.4")),
            (certificate, "TLSv1.2", .unknownVersion("TLSv1.2")),
            (certificate, "1", .unknownVersion("1")),
            ("/etc/ssl/ca.pem", "1.2", .certificateAuthorityIsPath("/etc/ssl/ca.pem")),
            ("ca.pem", "1.2", .certificateAuthorityIsPath("ca.pem")),
            ("-----BEGIN PRIVATE KEY-----\nAA\n", "1.2", .certificateAuthorityHasNoCertificate),
            ("some\ntext", "1.2", .certificateAuthorityHasNoCertificate),
            ("-----BEGIN CERTIFICATE-----\nMIIB\n", "1.2", .certificateAuthorityIsCut),
            (certificate + "-----BEGIN CERTIFICATE-----\nMI", "1.2", .certificateAuthorityIsCut),
        ] as [(String?, String?, MySQLConfigurationProblem)]
    )
    func refuses(authority: String?, version: String?, expected: MySQLConfigurationProblem) {
        #expect(throws: expected) {
            try MySQLConfiguration.TLS(certificateAuthority: authority, minimumVersion: version)
        }
    }

    @Test("repair line ends that arrive as two characters, and keep several certificates")
    func repairsLineEnds() throws {
        let two = Self.certificate + Self.certificate
        let oneLine = two.split(separator: "\n").joined(separator: "\\n")

        let tls = try MySQLConfiguration.TLS(certificateAuthority: oneLine, minimumVersion: .v12)

        #expect(tls.certificateAuthority == two)
    }

    @Test("do not show the password")
    func hidesPassword() {
        let configuration = MySQLConfiguration(
            endpoint: MySQLEndpoint(host: "db"),
            database: "pulumi",
            user: "u",
            password: Redacted("s3cret")
        )

        #expect(!"\(configuration)".contains("s3cret"))
    }
}
