import Foundation
import Kernel
import Persistence
import PersistenceMySQL
import Testing

@Suite("What an administrator makes")
struct MySQLSetupTests {
    /// A name for one test, and how its account connects.
    private struct Place {
        let service: MySQLConfiguration
        let administrator: MySQLSetup.Administrator
        let server: TestServer

        init(_ server: TestServer, password: String = "p'a\\s\"s`%") throws {
            let mark = String(UInt64.random(in: 0 ... .max), radix: 36)
            let admin = try server.configuration(.administrator)
            var service = admin
            service.database = "cairn_set%\(mark)`_x"
            service.user = "cairn'\(mark)"
            service.password = Redacted(password)
            self.service = service
            self.server = server
            administrator = MySQLSetup.Administrator(user: admin.user, password: admin.password)
        }

        func run(makesAccount: Bool = true) async throws -> [MySQLSetup.Step] {
            let steps = Shared<[MySQLSetup.Step]>([])
            let setup = MySQLSetup(for: service, by: administrator, makesAccount: makesAccount)
            try await setup.run { step in steps.withLock { $0.append(step) } }
            return steps.withLock { $0 }
        }

        /// Gives what the server says to a statement of this account.
        func asService(in database: String? = nil, _ text: String) async throws {
            var configuration = service
            configuration.database = database ?? service.database
            try await Self.run(configuration, text)
        }

        func asAdministrator(_ text: String) async throws {
            try await Self.run(try server.configuration(.administrator), text)
        }

        func remove() async throws {
            let name = service.database.replacing("`", with: "``")
            try await asAdministrator("DROP DATABASE IF EXISTS `\(name)`")
            let user = service.user.replacing("'", with: "''")
            try? await asAdministrator("DROP USER '\(user)'@'%'")
        }

        private static func run(_ configuration: MySQLConfiguration, _ text: String) async throws {
            let driver = try MySQLDriver(configuration)
            do {
                try await driver.run(text)
                await driver.close()
            } catch {
                await driver.close()
                throw error
            }
        }
    }

    private func with(_ place: Place, _ body: (Place) async throws -> Void) async throws {
        do {
            try await body(place)
            try await place.remove()
        } catch {
            try? await place.remove()
            throw error
        }
    }

    @Test("is the database, the account and its rights, whatever their names are", arguments: TestServer.allCases)
    func makes(server: TestServer) async throws {
        try await with(Place(server)) { place in
            let steps = try await place.run()

            #expect(
                steps == [
                    .database(place.service.database, isNew: true), .account(place.service.user, isNew: true),
                    .rights(user: place.service.user, database: place.service.database),
                ]
            )
            try await place.asService("CREATE TABLE t (a VARCHAR(20) PRIMARY KEY)")
            try await place.asService("INSERT INTO t VALUES ('😀')")
        }
    }

    @Test("gives no right on a database whose name only looks alike", arguments: TestServer.allCases)
    func grantsNarrowly(server: TestServer) async throws {
        try await with(Place(server)) { place in
            _ = try await place.run()
            let alike = place.service.database.replacing("`_", with: "`y").replacing("%", with: "z")
            let name = alike.replacing("`", with: "``")
            try await place.asAdministrator("CREATE DATABASE `\(name)`")

            let error = await failure { try await place.asService(in: alike, "SELECT 1") }

            try await place.asAdministrator("DROP DATABASE `\(name)`")
            let denied = try #require(error)
            #expect("\(denied)".contains("denied"))
        }
    }

    @Test("changes nothing when it is there, the password neither", arguments: TestServer.allCases)
    func runsAgain(server: TestServer) async throws {
        try await with(Place(server)) { place in
            _ = try await place.run()
            try await place.asService("CREATE TABLE t (a INT PRIMARY KEY)")
            var other = place.service
            other.password = Redacted("another")
            let steps = Shared<[MySQLSetup.Step]>([])

            try await MySQLSetup(for: other, by: place.administrator, makesAccount: true).run { step in
                steps.withLock { $0.append(step) }
            }

            #expect(steps.withLock { $0.map(\.description) }.contains("account \(place.service.user) was there"))
            try await place.asService("INSERT INTO t VALUES (1)")
        }
    }

    @Test("comes about once when several ask at once", arguments: TestServer.allCases)
    func runsBesideItself(server: TestServer) async throws {
        try await with(Place(server)) { place in
            let made = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<6 {
                    group.addTask { try await place.run().count { "\($0)".hasSuffix(" made") } }
                }
                return try await group.reduce(0, +)
            }

            #expect(made == 2)
        }
    }

    @Test("is the database alone where the account is made by hand", arguments: TestServer.allCases)
    func skipsAccount(server: TestServer) async throws {
        try await with(Place(server)) { place in
            let steps = try await place.run(makesAccount: false)

            #expect(steps == [.database(place.service.database, isNew: true)])
            let error = await failure { try await place.asService("SELECT 1") }
            #expect((error as? DatabaseError)?.isUnavailable == true)
        }
    }

    @Test("is refused with a statement that shows no password", arguments: TestServer.allCases)
    func refusals(server: TestServer) async throws {
        var service = try Place(server, password: "very-secret").service
        service.database = "nobody_may_make_this"
        let plain = try server.configuration()
        let mine = MySQLSetup.Administrator(user: plain.user, password: plain.password)
        let wrong = MySQLSetup.Administrator(user: plain.user, password: Redacted("wrong-secret"))

        let setups = [mine, wrong].map { MySQLSetup(for: service, by: $0, makesAccount: true) }
        let noRight = await failure { try await setups[0].run { _ in } }
        let noLogin = await failure { try await setups[1].run { _ in } }

        let said = "\(String(describing: noRight)) \(String(describing: noLogin))"
        #expect(said.contains("cannot CREATE DATABASE"))
        #expect(said.contains("cannot log in as '\(plain.user)'"))
        #expect(!said.contains("secret"))
    }
}
