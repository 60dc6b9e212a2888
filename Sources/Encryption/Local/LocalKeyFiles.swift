import Crypto
package import Kernel

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Master keys in files: read at the start of the process, and made once when nothing is configured.
///
/// A path names a file or a folder. In a folder, the last file by name is the current key, and the others unwrap what
/// was wrapped with them: a new key is brought in by adding a file. Hidden files and folders are left out, because
/// mounted secrets have them.
///
/// A file of exactly 32 bytes is the key as it is, whatever its last byte. A longer one may have a line end, which is
/// taken off; all of the rest counts.
package enum LocalKeyFiles {
    package static let fewestBytes = 32
    package static let mostBytes = 4096
    /// What the key is called that is made when nothing is configured.
    package static let generatedName = "master-0001.key"

    /// What was found.
    package struct Found: Sendable {
        package let current: SecretBytes
        package let older: [SecretBytes]
        /// Things the operator should know, such as a file that everybody can read.
        package let warnings: [String]
    }

    /// Something that is wrong with the path; for the operator.
    package struct Problem: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// Reads the key or keys; blocks.
    package static func load(_ path: String) throws(Problem) -> Found {
        var status = stat()
        guard stat(path, &status) == 0 else { throw problem(path, errno) }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            let (key, warnings) = try read(path)
            return Found(current: key, older: [], warnings: warnings)
        }
        var keys: [SecretBytes] = []
        var warnings: [String] = []
        for name in try fileNames(in: path) {
            let (key, more) = try read("\(path)/\(name)")
            keys.append(key)
            warnings += more
        }
        guard let current = keys.popLast() else {
            throw Problem(description: "\(path) is a folder without a key file; put a file of 32 random bytes into it")
        }
        return Found(current: current, older: keys, warnings: warnings)
    }

    /// Makes the folder and a key in it, unless there is one; blocks.
    ///
    /// The file has its name only when it is complete and durable, and never replaces another: of two processes that
    /// start at once, one makes the key that both read.
    ///
    /// - Returns: whether a key was made.
    package static func makeKey(in folder: String) throws(Problem) -> Bool {
        try meet(.keyFolderMake, folder)
        if mkdir(folder, 0o700) != 0, errno != EEXIST { throw problem(folder, errno) }
        if try !fileNames(in: folder).isEmpty { return false }
        let path = "\(folder)/\(generatedName)"
        try meet(.keyFileOpen, folder)
        let temporary = "\(folder)/.\(Hex.encode(Random.bytes(8)))"
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw problem(folder, errno) }
        defer { unlink(temporary) }
        let isWritten =
            !Failpoint.fails(.keyFileWrite)
            && Random.key(fewestBytes).withUnsafeBytes { write(file, $0.baseAddress, $0.count) == $0.count }
        let isDurable = isWritten && !Failpoint.fails(.keyFileSync) && fsync(file) == 0
        let number = errno
        close(file)
        guard isDurable else { throw problem(temporary, number) }
        try meet(.keyFileLink, path)
        guard link(temporary, path) == 0 else {
            if errno == EEXIST { return false }
            throw problem(path, errno)
        }
        try meet(.keyFileLinked, path)
        try sync(folder)
        try meet(.keyFolderSync, path)
        try sync("\(folder)/..")
        try meet(.keyFolderSynced, path)
        return true
    }

    // MARK: - Pieces

    /// The visible files of a folder, by name; links to files are files.
    private static func fileNames(in path: String) throws(Problem) -> [String] {
        guard let directory = opendir(path) else { throw problem(path, errno) }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            var status = stat()
            guard !name.hasPrefix("."), stat("\(path)/\(name)", &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
                continue
            }
            names.append(name)
        }
        return names.sorted()
    }

    private static func read(_ path: String) throws(Problem) -> (SecretBytes, [String]) {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw problem(path, errno) }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw problem(path, errno) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw Problem(description: "\(path) is neither a file nor a folder")
        }
        var bytes = [UInt8](repeating: 0, count: mostBytes + 1)
        defer { bytes.withUnsafeMutableBytes { SecretBytes.wipe($0) } }
        var count = 0
        while count < bytes.count {
            let read = bytes.withUnsafeMutableBytes { Self.read(file, $0[count...]) }
            if read < 0 { throw problem(path, errno) }
            if read == 0 { break }
            count += read
        }
        guard count <= mostBytes else {
            throw Problem(description: "\(path) has more than \(mostBytes) bytes; it is no key")
        }
        let kept = try length(of: bytes[..<count], path)
        let key = SecretBytes(count: kept) { $0.copyBytes(from: bytes[..<kept]) }
        return (key, warnings(path, status))
    }

    /// How many of the bytes are the key.
    private static func length(of bytes: ArraySlice<UInt8>, _ path: String) throws(Problem) -> Int {
        var kept = bytes
        if kept.count > fewestBytes, kept.last == UInt8(ascii: "\n") { kept = kept.dropLast() }
        if kept.count > fewestBytes, kept.last == UInt8(ascii: "\r") { kept = kept.dropLast() }
        guard kept.count >= fewestBytes else {
            throw Problem(description: "\(path) has \(bytes.count) bytes; a key has \(fewestBytes) or more")
        }
        guard Set(kept).count >= 8 else {
            throw Problem(description: "\(path) repeats a few bytes; a key is random, as from head -c 32 /dev/urandom")
        }
        return kept.count
    }

    private static func warnings(_ path: String, _ status: stat) -> [String] {
        let mode = status.st_mode & 0o777
        return mode & 0o077 == 0
            ? [] : ["\(path) has mode 0\(String(mode, radix: 8)); only its owner should be able to read it"]
    }

    private static func read(_ file: Int32, _ buffer: Slice<UnsafeMutableRawBufferPointer>) -> Int {
        let rest = UnsafeMutableRawBufferPointer(rebasing: buffer)
        return readSome(file, rest.baseAddress, rest.count)
    }

    private static func sync(_ folder: String) throws(Problem) {
        let file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard file >= 0 else { throw problem(folder, errno) }
        defer { close(file) }
        // lint: failpoint because each caller of it has one.
        guard fsync(file) == 0 else { throw problem(folder, errno) }
    }

    private static func meet(_ point: Failpoint, _ path: String) throws(Problem) {
        try Failpoint.reach(point, or: problem(path, EIO))
    }

    private static func problem(_ path: String, _ number: Int32) -> Problem {
        Problem(description: "\(path): \(String(cString: strerror(number))) (this process runs as user \(geteuid()))")
    }
}

private func readSome(_ file: Int32, _ start: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(file, start, count)
}
