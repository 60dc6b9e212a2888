import Kernel
import Persistence
import PersistenceMySQL
import Testing

@Suite("Logging in to MySQL")
struct AuthenticationTests {
    @Test(
        "works with passwords of every kind, with TLS and without",
        arguments: TestServer.allCases,
        [TestServer.Account.service, .nastyPassword, .emptyPassword]
    )
    func passwords(server: TestServer, account: TestServer.Account) async throws {
        for hasTLS in [true, false] {
            var configuration = try server.configuration(account)
            if !hasTLS { configuration.tls = nil }

            try await withDriver(configuration) { driver in
                let answer = try await driver.read { tx in try tx.count("SELECT 1") }
                #expect(answer == 1)
            }
        }
    }

    @Test("works with MySQL's older hashed method")
    func sha256() async throws {
        var configuration = try TestServer.mysql.configuration()
        configuration.user = "cairn_sha256"

        try await withDriver(configuration) { driver in
            let answer = try await driver.read { tx in try tx.count("SELECT 1") }
            #expect(answer == 1)
        }
    }

    @Test("with a wrong password names the settings, not the password", arguments: TestServer.allCases)
    func wrongPassword(server: TestServer) async throws {
        var configuration = try server.configuration()
        configuration.password = Redacted("not the password")

        let error = await connectError(configuration)

        #expect(error?.kind == .accessDenied)
        #expect(error?.isTransient == false)
        #expect(error?.description.contains("PULUMI_DATABASE_USER_PASSWORD") == true)
    }

    @Test("as somebody whom the server does not know is refused", arguments: TestServer.allCases)
    func unknownUser(server: TestServer) async throws {
        var configuration = try server.configuration()
        configuration.user = "nobody"

        #expect(await connectError(configuration)?.kind == .accessDenied)
    }

    @Test("to a database that is not there says so", arguments: TestServer.allCases)
    func unknownDatabase(server: TestServer) async throws {
        let error = await connectError(try server.configuration(.administrator, database: "cairn_missing"))

        #expect(error?.kind == .unknownDatabase)
        #expect(error?.description.contains("PULUMI_DATABASE_NAME") == true)
    }

    @Test("where nobody listens says so, and that it may pass")
    func unreachable() async throws {
        let configuration = MySQLConfiguration(
            endpoint: MySQLEndpoint(host: "127.0.0.1", port: try Loopback.freePort()),
            database: "d",
            user: "u"
        )

        let error = await connectError(configuration)

        #expect(error?.kind == .unreachable)
        #expect(error?.isTransient == true)
        #expect(error?.description.contains("PULUMI_DATABASE_ENDPOINT") == true)
    }

    @Test("to a name that is not known says so")
    func unknownHost() async throws {
        let configuration = MySQLConfiguration(
            endpoint: MySQLEndpoint(host: "database.invalid"),
            database: "d",
            user: "u"
        )

        #expect(await connectError(configuration)?.kind == .unreachable)
    }

    @Test("at run time is unavailable, in the same words")
    func atRunTime() async throws {
        var configuration = try TestServer.mariadb.configuration()
        configuration.password = Redacted("not the password")
        let driver = try MySQLDriver(configuration)

        let error = await failure(of: { try await driver.read { tx in try tx.count("SELECT 1") } })
        await driver.close()

        guard case DatabaseError.unavailable(let text)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(text.contains("PULUMI_DATABASE_USER_PASSWORD"))
        #expect(driver.connections == 0)
    }
}
