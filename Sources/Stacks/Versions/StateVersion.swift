package import Kernel
package import Persistence
package import StateStore

/// One numbered state of a stack.
///
/// It never changes. Its text is made of chunks, most of which older versions brought.
package struct StateVersion: Sendable, Equatable {
    package var version: Int
    /// Numbered: every chunk names the version whose pack has it.
    package var manifest: Manifest
    package var createdAt: Timestamp

    package var resourceCount: Int { manifest.summary.resourceCount }
}

/// A version with the packs that its chunks are in.
package struct StoredVersion: Sendable, Equatable {
    package var version: StateVersion
    /// By the version that brought them.
    package var packs: [Int: StoredBytes]

    /// Of work on the whole text; what the first parts hold decides, as it is asked for each stretch of them.
    var weight: WorkWeight {
        WorkWeight(bytes: version.manifest.parts.prefix(16).reduce(0) { $0 + $1.textCount })
    }
}

/// A state that is durable and not yet anybody's version.
package struct PreparedVersion: Sendable {
    package var manifest: Manifest
    /// The chunks that no version before has; nil when there are none.
    package var pack: StoredBytes?
    /// Other stacks that the state reads, as the program wrote them.
    package var stackReferenceNames: [String]

    package var resourceCount: Int { manifest.summary.resourceCount }

    /// What it is once a row names it as the first version of a stack.
    package func first(at now: Timestamp) -> StoredVersion {
        StoredVersion(
            version: StateVersion(version: 1, manifest: manifest.numbered(1), createdAt: now),
            packs: pack.map { [1: $0] } ?? [:]
        )
    }
}

/// SQL for `state_versions`.
package struct StateVersionStore: Sendable {
    package init() {}

    /// The newest state up to a number, with its packs: an update that saved nothing leaves no row of its own.
    package func latest(upTo version: Int, of stack: StackID, in tx: Transaction) throws -> StoredVersion? {
        let found = try tx.first(
            """
            SELECT version, manifest, created_at FROM state_versions
            WHERE stack_id = \(stack) AND version <= \(version) ORDER BY version DESC LIMIT 1
            """
        ) { try StateVersion(row: $0, of: stack) }
        guard let found else { return nil }
        return StoredVersion(version: found, packs: try packs(found.manifest.packs, of: stack, in: tx))
    }

    private func packs(_ versions: Set<Int>, of stack: StackID, in tx: Transaction) throws -> [Int: StoredBytes] {
        guard !versions.isEmpty else { return [:] }
        let rows = try tx.all(
            """
            SELECT version, body, object FROM state_versions
            WHERE stack_id = \(stack) AND version IN \(list: versions.sorted())
            """
        ) { row in
            let bytes = try StoredBytes(
                body: row.optional(1, Row.bytes),
                object: row.optional(2, Row.text)
            )
            return (try row.int(0), bytes)
        }
        return Dictionary(rows) { first, _ in first }
    }

    package func insert(
        _ prepared: PreparedVersion,
        as version: Int,
        of stack: StackID,
        by update: UpdateID?,
        at now: Timestamp,
        in tx: Transaction
    ) throws {
        try tx.insert(
            into: "state_versions",
            [
                "stack_id": stack, "version": version, "update_id": update, "size": prepared.manifest.textCount,
                "manifest": prepared.manifest.encoded(for: StateVersion.rowName(version, of: stack)),
                "body": prepared.pack?.body,
                "object": prepared.pack?.object, "resource_count": prepared.resourceCount, "created_at": now,
            ]
        )
    }
}

extension StateVersion {
    /// - Throws: an error that names the version when its manifest is damaged.
    init(row: Row, of stack: StackID) throws {
        let version = try row.int(0)
        guard let manifest = try? Manifest(decoding: row.bytes(1)[...], of: Self.rowName(version, of: stack)) else {
            throw ServiceError.stateBroken(version)
        }
        self.init(version: version, manifest: manifest.numbered(version), createdAt: try row.timestamp(2))
    }

    /// What tells the row from all others.
    static func rowName(_ version: Int, of stack: StackID) -> [UInt8] { Array("\(stack)/\(version)".utf8) }
}
