import APITestKit
import Crypto
import Encryption
import Kernel
import Persistence
import Stacks
import TestKit
import Testing

@Suite("Wrapping data keys anew")
struct DataKeyRotationTests {
    private let old = LocalKeyProvider(current: Random.key())
    private let new = LocalKeyProvider(current: Random.key())

    @Test(
        "takes every key of stacks and projects, once, and leaves none that the old one is needed for",
        arguments: Engine.available
    )
    func rotates(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            try await server.createStack("acme/site/prod")
            let effects = server.clock.effects
            let before = DataKeys(provider: old, effects: effects)
            let owners = try await fill(server.database, before, effects, count: 430)
            let both = DataKeys(provider: KeySuccession(current: new, other: old), effects: effects)
            let rotation = DataKeyRotation(database: server.database, keys: both)

            let looked = try await rotation.run(isDry: true) { _ in }
            let first = try await rotation.run(isDry: false) { _ in }
            let second = try await rotation.run(isDry: false) { _ in }

            #expect((looked.found, looked.rewrapped) == (430, 430))
            #expect((first.found, first.rewrapped, first.unusable) == (430, 430, []))
            #expect((second.found, second.rewrapped) == (430, 0))
            let after = DataKeys(provider: new, effects: effects)
            for (stored, owner) in try await read(server.database, owners) {
                _ = try await after.cipher(stored, for: owner)
            }
        }
    }

    @Test("names what cannot be opened and leaves it as it is", arguments: Engine.available)
    func namesDamage(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            let effects = server.clock.effects
            _ = try await fill(server.database, DataKeys(provider: old, effects: effects), effects, count: 3)
            let wrapped = try await server.database.write { tx in
                let rows = try tx.all("SELECT id, wrapped FROM data_keys ORDER BY id") { row in
                    (try row.id(0) as DataKeyID, try row.bytes(1))
                }
                try tx.execute("UPDATE data_keys SET wrapped = \(rows[1].1) WHERE id = \(rows[0].0)")
                return rows
            }
            let both = DataKeys(provider: KeySuccession(current: new, other: old), effects: effects)

            let tally = try await DataKeyRotation(database: server.database, keys: both).run(isDry: false) { _ in }

            #expect((tally.found, tally.rewrapped) == (3, 2))
            #expect(tally.unusable == [wrapped[0].0])
            let version = try await server.database.read { tx in
                try tx.first("SELECT master_version FROM data_keys WHERE id = \(wrapped[0].0)") { try $0.text(0) }
            }
            #expect(version == old.currentVersion)
        }
    }

    /// Data keys of the stacks that there are, and of as many projects as are missing to the count.
    private func fill(
        _ database: Database,
        _ keys: DataKeys,
        _ effects: Effects,
        count: Int
    ) async throws -> [DataKeyID: KeyOwner] {
        let stacks = try await database.read { tx in try tx.all("SELECT id FROM stacks") { try $0.id(0) as StackID } }
        var owners: [DataKeyID: KeyOwner] = [:]
        for index in 0..<count {
            let project: ID<Entity.Project> = effects.id()
            let owner = index < stacks.count ? KeyOwner("stack", stacks[index]) : KeyOwner("project", project)
            let made = try await keys.make(for: owner)
            owners[made.id] = owner
            try await database.write { tx in
                func insert<Owner>(_ id: ID<Owner>) throws {
                    try tx.execute(
                        """
                        INSERT INTO data_keys (id, owner_id, master_version, wrapped, created_at)
                        VALUES (\(made.id), \(id), \(made.wrapped.version), \(made.wrapped.bytes), \(effects.now()))
                        """
                    )
                }
                if index < stacks.count { try insert(stacks[index]) } else { try insert(project) }
            }
        }
        return owners
    }

    private func read(
        _ database: Database,
        _ owners: [DataKeyID: KeyOwner]
    ) async throws -> [(StoredDataKey, KeyOwner)] {
        try await database.read { tx in
            try tx.all("SELECT id, master_version, wrapped FROM data_keys") { row in
                let id = try row.id(0) as DataKeyID
                let wrapped = WrappedKey(version: try row.text(1), bytes: try row.bytes(2))
                guard let owner = owners[id] else { throw ServiceError(.notFound, "no owner") }
                return (StoredDataKey(id: id, wrapped: wrapped), owner)
            }
        }
    }
}
