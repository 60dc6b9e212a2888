import Kernel
import Persistence

/// SQL for what is cleaned up: deleted stacks, updates that never started, objects that no row names.
struct HousekeepingStore: Sendable {
    /// Whose rows belong to one stack by their `stack_id`.
    private static let tablesOfStacks: [SQL] = [
        "state_versions", "updates", "stack_tags", "stack_grants", "stack_former_names", "stack_annotations",
        "stack_references",
    ]

    /// Stacks that were deleted before a time.
    func deletedStacks(before time: Timestamp, limit: Int, in tx: Transaction) throws -> [StackID] {
        try tx.all(
            """
            SELECT id FROM stacks WHERE live IS NULL AND deleted_at < \(time) ORDER BY deleted_at LIMIT \(limit)
            """
        ) { try $0.id(0) }
    }

    /// Removes a deleted stack and everything that belongs to it, its key first of all.
    ///
    /// - Returns: false when it was brought back meanwhile.
    func purge(_ stack: StackID, in tx: Transaction) throws -> Bool {
        try tx.lock("stacks", where: "id = \(stack)")
        guard try tx.count("SELECT COUNT(*) FROM stacks WHERE id = \(stack) AND live IS NULL") == 1 else {
            return false
        }
        try tx.execute("DELETE FROM data_keys WHERE owner_id = \(stack)")
        try Failpoint.reach(.purgeKeysDeleted)
        for table: SQL in ["journal_segments", "event_segments", "update_deltas", "update_checkpoints"] {
            try tx.execute(
                "DELETE FROM \(table) WHERE update_id IN (SELECT id FROM updates WHERE stack_id = \(stack))"
            )
        }
        for table in Self.tablesOfStacks {
            try tx.execute("DELETE FROM \(table) WHERE stack_id = \(stack)")
        }
        try Failpoint.reach(.purgeRowsDeleted)
        try tx.execute("DELETE FROM stacks WHERE id = \(stack)")
        return true
    }

    /// Removes updates that were made and never started.
    func deleteUnstarted(before time: Timestamp, limit: Int, in tx: Transaction) throws -> Int {
        let ids: [UpdateID] = try tx.all(
            """
            SELECT id FROM updates WHERE status = \(UpdateStatus.notStarted.rawValue) AND created_at < \(time)
            LIMIT \(limit)
            """
        ) { try $0.id(0) }
        guard !ids.isEmpty else { return 0 }
        try Failpoint.reach(.unstartedFound)
        return try tx.execute(
            "DELETE FROM updates WHERE status = \(UpdateStatus.notStarted.rawValue) AND id IN \(list: ids)"
        )
    }

    /// Which of these objects a row names.
    func named(_ keys: [String], in tx: Transaction) throws -> Set<String> {
        guard !keys.isEmpty else { return [] }
        var named: Set<String> = []
        for table: SQL in [
            "state_versions", "update_checkpoints", "update_deltas", "journal_segments", "event_segments",
        ] {
            let found = try tx.all("SELECT object FROM \(table) WHERE object IN \(list: keys)") { try $0.text(0) }
            named.formUnion(found)
        }
        return named
    }
}
