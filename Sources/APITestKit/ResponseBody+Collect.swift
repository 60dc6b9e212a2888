import HTTPServer
import Kernel

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension ResponseBody {
    /// A body that broke its own promise.
    enum Problem: Error {
        case wrongLength(stated: Int64, sent: Int)
        case unreadableFile(errno: Int32)
    }

    /// Every byte that would be sent.
    func collect() async throws -> [UInt8] {
        switch self {
        case .none:
            return []
        case .bytes(let bytes):
            return bytes
        case .file(let file, let offset, let length):
            return try Self.read(file, offset, Int(length))
        case .stream(let length, let produce):
            let pieces = Pieces()
            try await produce(ResponseWriter { piece in pieces.append(piece) })
            let bytes = pieces.bytes
            if let length, Int(length) != bytes.count { throw Problem.wrongLength(stated: length, sent: bytes.count) }
            return bytes
        }
    }

    private static func read(_ file: OpenFile, _ offset: Int64, _ length: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: length)
        let count = bytes.withUnsafeMutableBytes { pread(file.descriptor, $0.baseAddress, length, off_t(offset)) }
        guard count >= 0 else { throw Problem.unreadableFile(errno: errno) }
        guard count == length else { throw Problem.wrongLength(stated: Int64(length), sent: count) }
        return bytes
    }
}

/// What a streamed body has written so far.
private final class Pieces: Sendable {
    private let collected = Locked<[UInt8]>([])

    var bytes: [UInt8] { collected.withLock { $0 } }

    func append(_ piece: [UInt8]) {
        collected.withLock { $0.append(contentsOf: piece) }
    }
}
