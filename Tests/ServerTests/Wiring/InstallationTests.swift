import Events
import Identity
import Kernel
import Persistence
import Server
import TestKit
import Testing

@Suite("The first start")
struct InstallationTests {
    @Test("makes an organization, its administrator and a token that is shown once", arguments: Engine.available)
    func installs(engine: Engine) async throws {
        try await withTestDatabase(engine) { database in
            let installation = Installation(database: database, effects: ManualClock().effects)
            let configuration = try InstallationConfiguration(settings: Settings([:]))

            let outcome = try await installation.run(configuration)

            guard case .made(let token?) = outcome else {
                Issue.record("it made \(outcome)")
                return
            }
            let hashes = try await database.read { tx in
                try tx.all("SELECT hash FROM access_tokens") { try $0.bytes(0) }
            }
            #expect(hashes == [token.hash])
            #expect(try await names(database) == ["admin", "main"])
            let user = try await database.read { tx in
                try AccountStore().find(login: OrganizationName(unchecked: "admin"), in: tx)
            }
            #expect(user?.isSiteAdmin == true)
            #expect(user?.defaultOrganization != nil)
        }
    }

    @Test("takes the operator's names and token, and shows none", arguments: Engine.available)
    func takesSettings(engine: Engine) async throws {
        try await withTestDatabase(engine) { database in
            let installation = Installation(database: database, effects: ManualClock().effects)

            let outcome = try await installation.run(try configuration())

            guard case .made(token: nil) = outcome else {
                Issue.record("it made \(outcome)")
                return
            }
            #expect(try await names(database) == ["acme", "dev"])
        }
    }

    @Test("is the only one: later ones change nothing", arguments: Engine.available)
    func installsOnce(engine: Engine) async throws {
        try await withTestDatabase(engine) { database in
            let installation = Installation(database: database, effects: ManualClock().effects)
            _ = try await installation.run(try configuration())

            let second = try await installation.run(try InstallationConfiguration(settings: Settings([:])))

            guard case .existing = second else {
                Issue.record("it made \(second)")
                return
            }
            #expect(try await names(database) == ["acme", "dev"])
        }
    }

    @Test("happens once when several processes start at once", arguments: Engine.available)
    func installsOnceConcurrently(engine: Engine) async throws {
        try await withTestDatabase(engine) { database in
            let installation = Installation(database: database, effects: ManualClock().effects)
            let configuration = try InstallationConfiguration(settings: Settings([:]))

            let made = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<6 {
                    group.addTask {
                        if case .made = try await installation.run(configuration) { true } else { false }
                    }
                }
                return try await group.reduce(into: 0) { count, isMade in count += isMade ? 1 : 0 }
            }

            #expect(made == 1)
            #expect(try await names(database) == ["admin", "main"])
            let events = try await database.read { tx in
                try tx.all("SELECT action_slug FROM audit_events") { try $0.text(0) }
            }
            #expect(events == ["server-installed"])
        }
    }

    private func configuration() throws -> InstallationConfiguration {
        try InstallationConfiguration(
            settings: Settings([
                "CAIRN_ADMIN_LOGIN": "dev", "CAIRN_ORGANIZATION": "acme", "CAIRN_ADMIN_TOKEN": "pul-of-the-operator",
            ])
        )
    }

    private func names(_ database: Database) async throws -> [String] {
        try await database.read { tx in
            try tx.all("SELECT name FROM organizations ORDER BY name") { try $0.text(0) }
        }
    }
}
