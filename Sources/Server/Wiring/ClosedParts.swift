import Kernel
import Persistence

// Parts that refuse everything, for tables that are only listed.

struct ClosedDatabase: DatabaseDriver {
    let dialect = Dialect.sqlite

    func read<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        throw DatabaseError.unavailable("there is no database")
    }

    func write<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        throw DatabaseError.unavailable("there is no database")
    }

    func migrate<T: Sendable>(_ body: @escaping @Sendable (any MigrationSession) throws -> T) async throws -> T {
        throw DatabaseError.unavailable("there is no database")
    }

    func close() async {}
}

struct ClosedObjects: ObjectStore {
    private static let refusal = ServiceError.unavailable("there is no object store")

    func put(_ bytes: [UInt8], as key: ObjectKey) async throws { throw Self.refusal }

    func putAll(_ objects: [NewObject]) async throws { throw Self.refusal }

    func put<Body: AsyncSequence>(_ body: Body, as key: ObjectKey) async throws -> Int where Body.Element == [UInt8] {
        throw Self.refusal
    }

    func putContent<Body: AsyncSequence>(_ body: Body, in folder: ObjectFolder) async throws -> StoredContent
    where Body.Element == [UInt8] {
        throw Self.refusal
    }

    func get(_ key: ObjectKey) async throws -> [UInt8] { throw Self.refusal }

    func get(_ key: ObjectKey, range: Range<Int>) async throws -> [UInt8] { throw Self.refusal }

    func stream(_ key: ObjectKey) async throws -> ObjectStream { throw Self.refusal }

    func size(of key: ObjectKey) async throws -> Int? { throw Self.refusal }

    func delete(_ keys: [ObjectKey]) async throws { throw Self.refusal }

    func list(in folder: ObjectFolder?, after cursor: String?, limit: Int) async throws -> ObjectPage {
        throw Self.refusal
    }

    func sweepUnfinished(before time: Timestamp) async throws -> Int { throw Self.refusal }
}

struct ClosedKeys: KeyProvider {
    private static let refusal = ServiceError.unavailable("there is no key")

    var currentVersion: String { "" }

    func makeKey(context: [UInt8]) async throws -> (key: SecretBytes, wrapped: WrappedKey) { throw Self.refusal }

    func wrap(_ key: SecretBytes, context: [UInt8]) async throws -> WrappedKey { throw Self.refusal }

    func unwrap(_ wrapped: WrappedKey, context: [UInt8]) async throws -> SecretBytes { throw Self.refusal }
}
