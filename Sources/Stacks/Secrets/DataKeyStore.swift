import Encryption
import Kernel
import Persistence

/// SQL for `data_keys`.
struct DataKeyStore: Sendable {
    func find<Owner>(owner: ID<Owner>, in tx: Transaction) throws -> StoredDataKey? {
        try tx.first("SELECT id, master_version, wrapped FROM data_keys WHERE owner_id = \(owner)") { row in
            StoredDataKey(
                id: try row.id(0),
                wrapped: WrappedKey(version: try row.text(1), bytes: try row.bytes(2))
            )
        }
    }

    /// False when the owner has a key already: that one counts.
    func insert<Owner>(_ key: StoredDataKey, owner: ID<Owner>, at now: Timestamp, in tx: Transaction) throws -> Bool {
        try tx.insertIgnoringDuplicates(
            into: "data_keys",
            [
                "id": key.id, "owner_id": owner, "master_version": key.wrapped.version, "wrapped": key.wrapped.bytes,
                "created_at": now,
            ]
        )
    }

    /// A data key, and whose it is.
    struct Row: Sendable {
        var key: StoredDataKey
        var owner: KeyOwner
    }

    /// Data keys in the order of their ids.
    func page(after id: DataKeyID?, limit: Int, in tx: Transaction) throws -> [Row] {
        let start: SQL = id.map { "WHERE id > \($0)" } ?? ""
        return try tx.all(
            """
            SELECT data_keys.id, master_version, wrapped, data_keys.owner_id,
                (SELECT COUNT(*) FROM stacks WHERE stacks.id = data_keys.owner_id)
            FROM data_keys \(start) ORDER BY id LIMIT \(limit)
            """
        ) { row in
            let key = StoredDataKey(
                id: try row.id(0),
                wrapped: WrappedKey(version: try row.text(1), bytes: try row.bytes(2))
            )
            // What is no stack's is a project's: there are no others.
            let owner: KeyOwner =
                try row.int(4) > 0
                ? KeyOwner("stack", try row.id(3) as StackID) : KeyOwner("project", try row.id(3) as ProjectID)
            return Row(key: key, owner: owner)
        }
    }

    /// Replaces a wrapped key, unless somebody else has meanwhile.
    func replace(_ key: StoredDataKey, with new: StoredDataKey, in tx: Transaction) throws {
        try tx.execute(
            """
            UPDATE data_keys SET master_version = \(new.wrapped.version), wrapped = \(new.wrapped.bytes)
            WHERE id = \(key.id) AND master_version = \(key.wrapped.version)
            """
        )
    }
}
