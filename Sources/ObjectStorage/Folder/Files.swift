import Kernel

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A call to the system that failed; the cause in a `ServiceError`, for the log.
package struct FileFailure: Error, Sendable, CustomStringConvertible {
    /// What was tried, such as `fsync objects/3f`.
    package let operation: String
    /// The system's error number.
    package let number: Int32

    package init(operation: String, number: Int32) {
        self.operation = operation
        self.number = number
    }

    package var description: String { "\(operation): \(reason)" }

    package var reason: String { String(cString: strerror(number)) }

    /// The same in words for a client.
    var serviceError: ServiceError {
        switch number {
        case ENOSPC, EDQUOT, EFBIG:
            .unavailable("The object store is full", cause: self)
        case EROFS, EACCES, EPERM:
            .unavailable("The object store cannot be written", cause: self)
        default:
            .unavailable("The object store does not answer", cause: self)
        }
    }
}

/// An open file or folder, closed when the last owner lets go of it.
final class OpenFile: Sendable {
    let descriptor: Int32
    private let name: String

    /// Opens below `folder`, and never through a symbolic link.
    init(_ name: String, in folder: OpenFile, flags: Int32) throws(FileFailure) {
        descriptor = try system("open \(folder.name)/\(name)") {
            openat(folder.descriptor, name, flags | O_CLOEXEC | O_NOFOLLOW, 0o600)
        }
        self.name = "\(folder.name)/\(name)"
    }

    /// Opens the folder at a path that the operator chose; links in the path are followed.
    init(root path: String) throws(FileFailure) {
        descriptor = try system("open \(path)") { open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        name = path
    }

    deinit {
        close(descriptor)
    }

    func status() throws(FileFailure) -> stat {
        var status = stat()
        try system("stat \(name)") { fstat(descriptor, &status) }
        return status
    }

    func size() throws(FileFailure) -> Int {
        Int(try status().st_size)
    }

    /// Writes everything, at the end of what was written before.
    func write(_ bytes: [UInt8]) throws(FileFailure) {
        var done = 0
        while done < bytes.count {
            done += try system("write \(name)") {
                bytes.withUnsafeBytes { writeSome(descriptor, $0.baseAddress.map { $0 + done }, $0.count - done) }
            }
        }
    }

    /// Fills the buffer from the place on; fewer bytes only at the end of the file.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(FileFailure) -> Int {
        var done = 0
        while done < buffer.count {
            let place = buffer.baseAddress.map { $0 + done }
            let count = try system("read \(name)") {
                pread(descriptor, place, buffer.count - done, off_t(offset + done))
            }
            if count == 0 { break }
            done += count
        }
        return done
    }

    /// Makes the content, or the entries of a folder, survive a power cut.
    func sync() throws(FileFailure) {
        // lint: failpoint because each caller of it has one.
        try system("fsync \(name)") { fsync(descriptor) }
    }

    /// The names in the folder, without `.` and `..`, in no order.
    func names() throws(FileFailure) -> [String] {
        let copy = try system("open \(name)") { openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard let directory = fdopendir(copy) else {
            close(copy)
            throw FileFailure(operation: "read \(name)", number: errno)
        }
        defer { closedir(directory) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
            errno = 0
        }
        if errno != 0 { throw FileFailure(operation: "read \(name)", number: errno) }
        return names
    }

    /// The size and time of what has the name in this folder; nil when there is nothing.
    func status(of name: String) throws(FileFailure) -> stat? {
        var status = stat()
        do {
            try system("stat \(self.name)/\(name)") { fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) }
        } catch {
            if error.number == ENOENT { return nil }
            throw error
        }
        return status
    }

    /// Takes the name away; nothing there is no error.
    func remove(_ name: String) throws(FileFailure) {
        do {
            // lint: failpoint because each caller of it has one.
            try system("unlink \(self.name)/\(name)") { unlinkat(descriptor, name, 0) }
        } catch {
            if error.number != ENOENT { throw error }
        }
    }
}

/// Runs a call again as long as a signal interrupts it; a negative answer becomes an error.
@discardableResult
func system<Number: SignedInteger>(_ operation: @autoclosure () -> String, _ call: () -> Number) throws(FileFailure)
    -> Number
{
    while true {
        let result = call()
        if result >= 0 { return result }
        let number = errno
        if number != EINTR { throw FileFailure(operation: operation(), number: number) }
    }
}

private func writeSome(_ descriptor: Int32, _ start: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, start, count)
}

extension Failpoint {
    /// Passes a point beside a step of a file, which fails as on a broken disk.
    static func file(_ point: Failpoint) throws(FileFailure) {
        try reach(point, or: FileFailure(operation: "a step that failed on purpose", number: EIO))
    }
}
