import Encryption
import Kernel
import OutboundHTTP
import Persistence
import Transfers

/// Opens the master key and makes sure that it is the one this database was made with, before anything is written.
enum KeyRing {
    private static let name = "key-canary"

    static func open(
        _ configuration: EncryptionConfiguration,
        with master: MasterKey,
        database: Database,
        effects: Effects,
        settings: Settings
    ) async throws -> DataKeys {
        try await KeyServicePatience.extended {
            let stored = try await canary(in: database)
            let provider = try await master.open(configuration, mayMakeKey: stored == nil, settings: settings)
            let keys = DataKeys(provider: provider, effects: effects)
            let expected: WrappedKey
            if let stored {
                expected = stored
            } else {
                let made = try await keys.makeCanary()
                try Failpoint.reach(.keyCanaryMade)
                expected = try await keep(made, in: database, effects: effects)
                try Failpoint.reach(.keyCanaryKept)
            }
            guard try await keys.verify(expected) else { throw configuration.wrongKey }
            return keys
        }
    }

    /// Has the canary made by the current master key, once everything else is.
    ///
    /// - Returns: whether it was another one's.
    static func rewrapCanary(_ keys: DataKeys, in database: Database, effects: Effects) async throws -> Bool {
        guard let stored = try await canary(in: database), let made = try await keys.rewrapCanary(stored) else {
            return false
        }
        let now = effects.now()
        _ = try await database.write { tx in
            // lint: failpoint because either canary is right
            try tx.execute("UPDATE server_values SET value = \(text(made)), updated_at = \(now) WHERE name = \(name)")
        }
        return true
    }

    private static func text(_ key: WrappedKey) -> String {
        "\(key.version) \(key.bytes.map { String($0) }.joined(separator: ","))"
    }

    private static func canary(in database: Database) async throws -> WrappedKey? {
        try await database.read { tx in try read(in: tx) }
    }

    /// Writes the canary; when another process was first, its canary counts.
    private static func keep(_ made: WrappedKey, in database: Database, effects: Effects) async throws -> WrappedKey {
        let now = effects.now()
        return try await database.write { tx in
            _ = try tx.insertIgnoringDuplicates(
                into: "server_values",
                ["name": name, "value": text(made), "updated_at": now]
            )
            try Failpoint.reach(.keyCanaryInserted)
            return try read(in: tx) ?? made
        }
    }

    private static func read(in tx: Transaction) throws -> WrappedKey? {
        guard let text = try tx.first("SELECT value FROM server_values WHERE name = \(name)", { try $0.text(0) }) else {
            return nil
        }
        let parts = text.split(separator: " ")
        guard parts.count == 2 else { throw StartError("the check value of the key in the database is damaged") }
        return WrappedKey(version: String(parts[0]), bytes: parts[1].split(separator: ",").compactMap { UInt8($0) })
    }
}
