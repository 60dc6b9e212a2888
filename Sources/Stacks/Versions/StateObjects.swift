import Crypto
package import Kernel

/// Bytes of state that are durable: small ones in their row, large ones in the object store.
package enum StoredBytes: Sendable, Equatable {
    case row([UInt8])
    /// The key of the object.
    case object(String)

    /// The most bytes of a row, as the program has it.
    package static let rowLimit = 65_536

    /// What the column `body` holds.
    var body: [UInt8]? {
        if case .row(let bytes) = self { bytes } else { nil }
    }

    /// What the column `object` holds.
    var object: String? {
        if case .object(let key) = self { key } else { nil }
    }

    /// Reads the two columns; exactly one of them is set.
    init(body: [UInt8]?, object: String?) throws {
        if let body {
            self = .row(body)
        } else if let object {
            self = .object(object)
        } else {
            throw StateDamage.nowhere
        }
    }
}

/// Makes bytes of state durable as objects, and reads them back.
///
/// An object is durable before the row that names it is written (`design/state-storage.md` rules 3 and 4). Each is in a
/// folder that no other write uses: so an object that no row names can be swept away once it is old, as no later write
/// can begin to name it.
package struct StateObjects: Sendable {
    /// The most bytes that stay in a row; more of them become an object.
    let rowLimit: Int
    private let objects: any ObjectStore
    private let folder: ObjectFolder
    private let effects: Effects

    /// - Parameters:
    ///   - folder: where new objects go; those of others can be read all the same.
    ///   - rowLimit: less than the default where small states must become objects, as in a simulation.
    package init(
        objects: any ObjectStore,
        in folder: ObjectFolder = .state,
        effects: Effects,
        rowLimit: Int = StoredBytes.rowLimit
    ) {
        self.objects = objects
        self.folder = folder
        self.effects = effects
        self.rowLimit = rowLimit
    }

    /// Stores bytes whose hash nobody else keeps: the store checks them whenever they are read.
    package func put(_ bytes: [UInt8], of stack: StackID) async throws -> String {
        let key = folder.folder(stack).folder(newID()).content(hex: SHA256.hash(bytes).hex)
        // lint: failpoint because each caller of it has one.
        try await objects.put(bytes, as: key)
        return key.description
    }

    /// Stores what arrives in pieces; whoever reads it checks it.
    package func put<Body: AsyncSequence>(_ body: Body, of stack: StackID) async throws -> String
    where Body.Element == [UInt8] {
        let key = folder.folder(stack).object(newID())
        // lint: failpoint because each caller of it has one.
        try await objects.put(body, as: key)
        return key.description
    }

    /// The whole object.
    ///
    /// - Throws: `StateDamage` when it is gone or not what was stored; so do the other two.
    package func get(_ key: String) async throws -> [UInt8] {
        try await found(key) { try await objects.get($0) }
    }

    /// Part of an object.
    package func get(_ key: String, range: Range<Int>) async throws -> [UInt8] {
        try await found(key) { try await objects.get($0, range: range) }
    }

    /// An object in pieces.
    package func stream(_ key: String) async throws -> ObjectStream {
        try await found(key) { try await objects.stream($0) }
    }

    /// Bytes wherever they are.
    package func bytes(_ stored: StoredBytes) async throws -> [UInt8] {
        switch stored {
        case .row(let bytes): bytes
        case .object(let key): try await get(key)
        }
    }

    private func found<Result>(_ text: String, _ read: (ObjectKey) async throws -> Result) async throws -> Result {
        guard let key = ObjectKey(text) else { throw StateDamage.object(text) }
        do {
            return try await read(key)
        } catch let error as ServiceError where error.code == .notFound || error.code == .damaged {
            throw StateDamage.object(text)
        }
    }

    /// Does what reads stored bytes and checks them, and once more when they were not what was stored: a store, or the
    /// way from it, may be wrong once (`design/reliability-security.md` D7).
    ///
    /// Whatever is refused is read again, too: what is stored was checked when it came, so damage may look like anything.
    func readAgain<Result>(_ read: () async throws -> Result) async throws -> Result {
        do {
            return try await read()
        } catch let error as ServiceError where error.code == .unavailable {
            throw error
        } catch let error where error is StateDamage || error is ServiceError {
            return try await read()
        }
    }

    /// Deletes objects that no row names any more.
    ///
    /// What cannot be deleted now is found by the sweeper, so nobody has to be told.
    package func discard(_ keys: [String]) async {
        let keys = keys.compactMap { ObjectKey($0) }
        guard !keys.isEmpty else { return }
        // lint: failpoint because the store has them, and whoever discards has more.
        try? await objects.delete(keys)
    }

    private func newID() -> ID<Entity.StateObject> { effects.id() }
}

/// Stored bytes that are not what was stored: someone must act.
package enum StateDamage: Error, Sendable, Equatable {
    case checksum
    case nowhere
    /// An object that a row names is gone, or its content is not what its key says.
    case object(String)
}
