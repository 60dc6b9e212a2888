import Compression
import Crypto
package import Kernel

/// Makes texts of state durable, and reads them back checked.
///
/// An object is durable before the row that names it is written; bytes that do not match their hash are never given out
/// (`design/state-storage.md` rules 3 and 4).
package struct StateTexts: Sendable {
    /// Compressed texts up to this size live in their row.
    private static let rowLimit = 65_536
    private static let folder = ObjectFolder("state")
    private static let deadline = Duration.seconds(60)

    private let objects: any ObjectStore
    private let effects: Effects
    private let compute: BlockingPool

    package init(objects: any ObjectStore, effects: Effects, compute: BlockingPool) {
        self.objects = objects
        self.effects = effects
        self.compute = compute
    }

    /// Compresses and stores a text, so that a row may name it.
    package func store(_ text: [UInt8], of stack: StackID, resourceCount: Int) async throws -> StateText {
        let (hash, body) = try await compute.run(deadline: Self.deadline) {
            (SHA256.hash(text).bytes, Gzip.gzip(text[...], level: 1))
        }
        var stored = StateText(
            hash: hash,
            size: text.count,
            body: body,
            object: nil,
            resourceCount: resourceCount
        )
        if body.count > Self.rowLimit {
            let key = try await put(body, of: stack)
            stored.body = nil
            stored.object = key
        }
        return stored
    }

    /// Stores bytes as an object under their own hash, in a folder that no other write uses.
    ///
    /// So an object that no row names can be swept away once it is old: no later write can begin to name it.
    package func put(_ bytes: [UInt8], of stack: StackID) async throws -> String {
        let hex = try await compute.run(deadline: Self.deadline) { SHA256.hash(bytes).hex }
        let key = Self.folder.folder(stack).folder(effects.id(Entity.StateObject.self)).content(hex: hex)
        try await objects.put(bytes, as: key)
        return key.description
    }

    /// Reads an object that a row names.
    package func object(_ key: String) async throws -> [UInt8] {
        guard let key = ObjectKey(key) else { throw StateDamage.object(key) }
        return try await objects.get(key)
    }

    /// The text, inflated and checked against its hash.
    ///
    /// - Throws: `StateDamage` when the bytes are not what was stored.
    package func load(_ text: StateText) async throws -> [UInt8] {
        let body: [UInt8]
        if let inRow = text.body {
            body = inRow
        } else if let object = text.object {
            body = try await self.object(object)
        } else {
            throw StateDamage.nowhere
        }
        return try await compute.run(deadline: Self.deadline) {
            guard let inflated = try? Gzip.gunzip(body[...], limit: text.size), inflated.count == text.size,
                SHA256.hash(inflated).bytes == text.hash
            else { throw StateDamage.checksum }
            return inflated
        }
    }
}

/// Stored bytes that are not what was stored: someone must act.
package enum StateDamage: Error, Sendable, Equatable {
    case checksum
    case nowhere
    case object(String)
}
