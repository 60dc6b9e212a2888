import Crypto
import Kernel

/// Where in the folder an object is.
///
/// ```
/// objects/00 … objects/ff    one file per object, named by its key with "." for "/"
/// temporary/                 files that are being written
/// ```
///
/// The 256 folders are made when the store is opened, so that a write never makes one. An object's folder follows from
/// the hash of everything before the last segment of its key: what belongs to one stack lies together, and storing many
/// of its objects needs one `fsync` of one folder.
enum FolderLayout {
    static let objects = "objects"
    static let temporary = "temporary"
    static let shards = (0..<256).map { Hex.encode([UInt8($0)]) }

    static func shard(of key: ObjectKey) -> String {
        String(SHA256.hash(key.folder.description).hex.prefix(2))
    }

    static func fileName(of key: ObjectKey) -> String {
        String(decoding: key.description.utf8.map { $0 == UInt8(ascii: "/") ? UInt8(ascii: ".") : $0 }, as: UTF8.self)
    }

    /// The key of a file; nil for a file that is not ours.
    static func key(ofFile name: String) -> ObjectKey? {
        guard !name.utf8.contains(UInt8(ascii: "/")) else { return nil }
        let text = name.utf8.map { $0 == UInt8(ascii: ".") ? UInt8(ascii: "/") : $0 }
        return ObjectKey(String(decoding: text, as: UTF8.self))
    }
}

/// A place in the writing of an object, where tests make it fail or end the process.
package enum FolderStep: String, Sendable, CaseIterable {
    case createTemporary
    case write
    case syncFile
    case rename
    case syncFolder
    case remove
}
