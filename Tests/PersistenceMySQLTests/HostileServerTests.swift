import Foundation
import Kernel
import PersistenceMySQL
import Testing

@Suite("A MySQL server that means harm")
struct HostileServerTests {
    private static let password = "open sesame"

    @Test(
        "does not get the password in clear text, whether it asks at once or later",
        arguments: [
            [HostileServer.greeting("mysql_clear_password"), HostileServer.ok(2)],
            [HostileServer.greeting(), HostileServer.switchTo("mysql_clear_password"), HostileServer.ok(4)],
            [HostileServer.greeting(), HostileServer.switchTo("dialog"), HostileServer.ok(4)],
            [HostileServer.greeting(), HostileServer.switchTo("auth_gssapi_client"), HostileServer.ok(4)],
            [HostileServer.greeting(), HostileServer.switchTo("mysql_old_password"), HostileServer.ok(4)],
            [HostileServer.greeting(), HostileServer.packet(2, [0xfe]), HostileServer.ok(4)],
        ]
    )
    func clearText(answers: [[UInt8]]) async throws {
        let server = try HostileServer(.answers(answers))
        defer { server.close() }

        let error = await connectError(configuration(server))

        #expect(error?.kind == .authenticationMethod)
        #expect(!server.received.isEmpty || answers[0] == HostileServer.greeting("mysql_clear_password"))
        #expect(!server.hasReceived(Self.password))
    }

    @Test("does not get a file of ours")
    func file() async throws {
        let path = NSTemporaryDirectory() + "cairn-secret-\(UInt64.random(in: 0 ... .max))"
        try "the secret of the file".write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let server = try HostileServer(
            .answers([
                HostileServer.greeting(), HostileServer.ok(2), HostileServer.askForFile(path), HostileServer.ok(3),
                HostileServer.ok(1), HostileServer.ok(1),
            ])
        )
        defer { server.close() }

        let error = await connectError(configuration(server))

        #expect(error != nil)
        #expect(server.hasReceived("SET SESSION"), "it got so far that it could ask")
        #expect(!server.hasReceived("the secret of the file"))
    }

    @Test("that lacks TLS hears neither user nor password where TLS is configured")
    func withoutTLS() async throws {
        let server = try HostileServer(.answers([HostileServer.greeting(), HostileServer.ok(2)]))
        defer { server.close() }
        var configuration = configuration(server)
        configuration.user = "somebody"
        configuration.tls = try MySQLConfiguration.TLS(
            certificateAuthority: TestCertificates.authority(),
            minimumVersion: .v12
        )

        let error = await connectError(configuration)

        #expect(error?.kind == .serverWithoutTLS)
        #expect(!server.hasReceived("somebody"))
    }

    @Test("that accepts every setting and then shows none of them is not believed")
    func settingsNotTaken() async throws {
        let server = try HostileServer(
            .answers([HostileServer.greeting(), HostileServer.ok(2)] + (0..<4).map { _ in HostileServer.ok(1) })
        )
        defer { server.close() }

        let error = await connectError(configuration(server))

        #expect(error != nil)
    }

    @Test("that talks nonsense, hangs up or says nothing is an error in time")
    func nonsense() async throws {
        let scripts: [HostileServer.Script] = [
            .hangUp,
            .silence,
            .answers([[0xff]]),
            .answers([[0xff, 0xff, 0xff, 0]]),
            .answers([HostileServer.packet(0, [])]),
            .answers([HostileServer.packet(0, [9])]),
            .answers([HostileServer.packet(0, [10, 0x41])]),
            .answers([Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8)]),
            .answers([HostileServer.greeting(), [0xff, 0xff, 0xff, 2, 0]]),
            .answers([HostileServer.greeting(), HostileServer.ok(9)]),
            .answers([HostileServer.greeting(), HostileServer.ok(2), HostileServer.packet(1, [0xff])]),
            .answers([HostileServer.greeting(), HostileServer.ok(2), HostileServer.packet(1, [0xfe, 0, 0, 2, 0])]),
        ]
        for script in scripts {
            let server = try HostileServer(script)
            let start = ContinuousClock.now

            let error = await connectError(configuration(server, patience: .seconds(1)))
            server.close()

            #expect(error != nil, "\(script)")
            #expect(start.duration(to: .now) < .seconds(25), "\(script)")
        }
    }

    private func configuration(
        _ server: HostileServer,
        patience: Duration = .seconds(30)
    ) -> MySQLConfiguration {
        var limits = MySQLConfiguration.Limits.patient
        limits.connect = patience
        limits.socket = patience
        return MySQLConfiguration(
            endpoint: MySQLEndpoint(host: "127.0.0.1", port: server.port),
            database: "d",
            user: "u",
            password: Redacted(Self.password),
            limits: limits
        )
    }
}
