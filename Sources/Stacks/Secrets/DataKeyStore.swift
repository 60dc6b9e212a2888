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
}
