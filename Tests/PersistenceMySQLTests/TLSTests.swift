import Kernel
import PersistenceMySQL
import Testing

@Suite("TLS to MySQL", .serialized)
struct TLSTests {
    @Test("is used when it is configured, and not when it is not", arguments: TestServer.allCases)
    func isUsed(server: TestServer) async throws {
        var configuration = try server.configuration()
        let secure = try MySQLDriver(configuration)
        configuration.tls = nil
        let plain = try MySQLDriver(configuration)

        let withTLS = try await secure.inspect().tls
        let without = try await plain.inspect().tls
        await secure.close()
        await plain.close()

        #expect(withTLS?.contains("TLSv1") == true)
        #expect(without == nil)
    }

    @Test("verifies addresses and names alike", arguments: TestServer.allCases, ["localhost", "127.0.0.1"])
    func names(server: TestServer, host: String) async throws {
        var configuration = try server.configuration()
        configuration.endpoint = MySQLEndpoint(host: host, port: configuration.endpoint.port)

        let driver = try MySQLDriver(configuration)
        let tls = try await driver.inspect().tls
        await driver.close()

        #expect(tls != nil)
    }

    @Test("accepts a bundle in which one of several authorities fits", arguments: TestServer.allCases)
    func bundle(server: TestServer) async throws {
        let both = try TestCertificates.authority(named: "other-ca") + TestCertificates.authority()
        var configuration = try server.configuration()
        configuration.tls = try MySQLConfiguration.TLS(certificateAuthority: both, minimumVersion: .v13)

        let driver = try MySQLDriver(configuration)
        let tls = try await driver.inspect().tls
        await driver.close()

        #expect(tls?.contains("TLSv1.3") == true)
    }

    @Test("refuses a certificate of an unknown authority", arguments: TestServer.allCases)
    func unknownAuthority(server: TestServer) async throws {
        var configuration = try server.configuration()
        configuration.tls = try MySQLConfiguration.TLS(
            certificateAuthority: TestCertificates.authority(named: "other-ca"),
            minimumVersion: .v12
        )

        let error = await connectError(configuration)

        #expect(error?.kind == .untrustedCertificate)
        #expect(error?.description.contains("DATABASE_CA_CERTIFICATE") == true)
    }

    @Test("refuses what is no certificate in spite of its first line", arguments: TestServer.allCases)
    func garbage(server: TestServer) async throws {
        var configuration = try server.configuration()
        configuration.tls = try MySQLConfiguration.TLS(
            certificateAuthority: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            minimumVersion: .v12
        )

        let error = await connectError(configuration)

        #expect(error?.kind == .untrustedCertificate || error?.kind == .otherTLS)
    }

    @Test("refuses a certificate for another host", arguments: TestServer.allCases)
    func wrongHost(kind: TestServer) async throws {
        try await PrivateServer.with(kind, options: ["--certificate=wrong-host"]) { server in
            let error = await connectError(try server.configuration())

            #expect(error?.kind == .wrongHostName)
            #expect(error?.description.contains("PULUMI_DATABASE_ENDPOINT") == true)
        }
    }

    @Test("refuses a server that has only older versions", arguments: TestServer.allCases)
    func oldVersion(kind: TestServer) async throws {
        try await PrivateServer.with(kind, options: ["--tls-version=TLSv1.2"]) { server in
            var configuration = try server.configuration()
            let authority = try TestCertificates.authority()
            configuration.tls = try MySQLConfiguration.TLS(certificateAuthority: authority, minimumVersion: .v13)
            let error = await connectError(configuration)
            configuration.tls = try MySQLConfiguration.TLS(certificateAuthority: authority, minimumVersion: .v12)
            let driver = try MySQLDriver(configuration)
            let tls = try await driver.inspect().tls
            await driver.close()

            #expect(error?.kind == .tooLowTLSVersion)
            #expect(error?.description.contains("DATABASE_MIN_TLS_VERSION") == true)
            #expect(tls?.contains("TLSv1.2") == true)
        }
    }

    @Test("speaks a withdrawn version with a server that knows no other, if it is told to", arguments: ["1.0", "1.1"])
    func withdrawnVersion(version: String) async throws {
        let options = ["--tls-version=TLSv\(version)", "--ssl-cipher=DEFAULT:@SECLEVEL=0"]
        try await PrivateServer.with(.mariadb, options: options) { server in
            let modern = try server.configuration()
            var old = modern
            old.tls = try MySQLConfiguration.TLS(
                certificateAuthority: TestCertificates.authority(),
                minimumVersion: .v10
            )

            let refusal = await connectError(modern)
            let driver = try MySQLDriver(old)
            let tls = try await driver.inspect().tls
            await driver.close()

            #expect(refusal?.kind == .tooLowTLSVersion)
            #expect(tls?.contains(version == "1.0" ? "TLSv1" : "TLSv1.1") == true, "\(tls ?? "")")
        }
    }

    @Test("never falls back to clear text where the server offers none")
    func serverWithoutTLS() async throws {
        try await PrivateServer.with(.mariadb, options: ["--no-tls", "--skip-ssl"]) { server in
            let error = await connectError(try server.configuration())

            #expect(error?.kind == .serverWithoutTLS)
        }
    }

    @Test("is asked for by name where the server insists on it", arguments: TestServer.allCases)
    func serverInsists(kind: TestServer) async throws {
        try await PrivateServer.with(kind, options: ["--require-secure-transport=ON"]) { server in
            var configuration = try server.configuration()
            configuration.tls = nil

            let error = await connectError(configuration)

            // MariaDB does not say why it refuses.
            #expect(error?.kind == (kind == .mysql ? .serverRequiresTLS : .accessDenied))
            #expect(error?.description.contains("DATABASE_CA_CERTIFICATE") == true)
        }
    }
}

/// The error of a first connection.
func connectError(_ configuration: MySQLConfiguration) async -> MySQLConnectError? {
    do {
        let driver = try MySQLDriver(configuration)
        let error = await failure(of: { try await driver.inspect() })
        await driver.close()
        guard let error = error as? MySQLConnectError else {
            Issue.record("is no connect error: \(String(describing: error))")
            return nil
        }
        let password = configuration.password.reveal()
        #expect(password.isEmpty || !error.description.contains(password))
        return error
    } catch {
        Issue.record(error)
        return nil
    }
}
