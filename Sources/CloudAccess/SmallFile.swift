#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Small text files that others write: tokens, profiles, keys of service accounts.
enum SmallFile {
    struct Failure: Error, CustomStringConvertible {
        let description: String
        /// Whether there is no such file.
        let isMissing: Bool
    }

    private static let most = 1 << 20

    /// Reads the whole file; blocks.
    static func read(_ path: String) throws(Failure) -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw failure(path, errno) }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = readSome(file, &chunk)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure(path, errno) }
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += chunk[..<count]
            guard bytes.count <= most else {
                throw Failure(description: "\(path) has more than \(most) bytes", isMissing: false)
            }
        }
    }

    private static func failure(_ path: String, _ number: Int32) -> Failure {
        Failure(
            description: "\(path): \(String(cString: strerror(number))) (this process runs as user \(geteuid()))",
            isMissing: number == ENOENT || number == ENOTDIR
        )
    }
}

private func readSome(_ file: Int32, _ chunk: inout [UInt8]) -> Int {
    chunk.withUnsafeMutableBytes { read(file, $0.baseAddress, $0.count) }
}
