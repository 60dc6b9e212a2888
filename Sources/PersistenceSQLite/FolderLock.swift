import Kernel

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The right of one server to a data folder, held until it is released or nobody refers to it.
///
/// The system releases it with the process, however that ends. The file stays: removing it would let two servers hold
/// locks on two files of one name.
final class FolderLock: Sendable {
    private let file: Locked<Int32?>

    /// - Throws: `.locked` when another server has it.
    init(folder: String) throws(SQLiteOpenError) {
        let path = "\(folder)/cairn.lock"
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .access("\(path) cannot be opened: \(Host.error(errno))") }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            let reason = errno
            let holder = Self.read(file)
            close(file)
            guard reason == EWOULDBLOCK else { throw .access("\(path) cannot be locked: \(Host.error(reason))") }
            throw .locked(folder: folder, process: holder)
        }
        let text = Array("\(getpid())\n".utf8)
        // Only for the message of the other server: whether it is written changes nothing.
        if ftruncate(file, 0) == 0 { _ = pwrite(file, text, text.count, 0) }
        self.file = Locked(file)
    }

    deinit {
        release()
    }

    func release() {
        file.withLock { file in
            if let file { close(file) }
            file = nil
        }
    }

    private static func read(_ file: Int32) -> Int? {
        var buffer = [UInt8](repeating: 0, count: 20)
        let count = pread(file, &buffer, buffer.count, 0)
        guard count > 0 else { return nil }
        return Int(String(decoding: buffer[..<count].prefix { (48...57).contains($0) }, as: UTF8.self))
    }
}
