import Crypto
import Kernel

/// An object's file, open for reading.
struct ObjectFile: Sendable {
    let key: ObjectKey
    let file: OpenFile
    let size: Int

    /// How much is read at once.
    static let window = 262_144

    /// Everything; checked when the key names the content.
    func bytes() throws -> [UInt8] {
        let bytes = try read(0..<size)
        guard let digest = key.contentDigest else { return bytes }
        guard bytes.count == size, SHA256.hash(bytes) == digest else { throw Self.damaged(key) }
        return bytes
    }

    /// A part; everything is checked when the key names the content.
    func bytes(in range: Range<Int>) throws -> [UInt8] {
        let range = range.clamped(to: 0..<size)
        if key.contentHex != nil { try verify() }
        let bytes = try read(range)
        guard bytes.count == range.count else { throw Self.damaged(key) }
        return bytes
    }

    /// Reads all of it and compares with the name.
    func verify() throws {
        guard let digest = key.contentDigest else { return }
        var hash = SHA256()
        var buffer = [UInt8](repeating: 0, count: min(Self.window, max(1, size)))
        var offset = 0
        while true {
            let count = try buffer.withUnsafeMutableBytes { try file.read(into: $0, at: offset) }
            if count == 0 { break }
            hash.update(buffer[..<count])
            offset += count
        }
        guard hash.finish() == digest else { throw Self.damaged(key) }
    }

    /// Fewer bytes only when the file has become shorter.
    func read(_ range: Range<Int>) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
            count = try file.read(into: UnsafeMutableRawBufferPointer(buffer), at: range.lowerBound)
        }
    }

    /// Whether the content is this one.
    func holds(_ bytes: [UInt8]) throws -> Bool {
        guard size == bytes.count else { return false }
        var offset = 0
        while offset < size {
            let piece = try read(offset..<min(offset + Self.window, size))
            guard !piece.isEmpty, bytes[offset..<offset + piece.count].elementsEqual(piece) else { return false }
            offset += piece.count
        }
        return true
    }

    /// Whether the content is that of the other file.
    func holds(sameAs other: OpenFile) throws -> Bool {
        guard try other.size() == size else { return false }
        let twin = ObjectFile(key: key, file: other, size: size)
        var offset = 0
        while offset < size {
            let range = offset..<min(offset + Self.window, size)
            let piece = try read(range)
            guard !piece.isEmpty, try twin.read(range) == piece else { return false }
            offset += piece.count
        }
        return true
    }

    static func damaged(_ key: ObjectKey, cause: (any Error)? = nil) -> ServiceError {
        ServiceError(.damaged, "The stored object \(key) is damaged", cause: cause)
    }
}
