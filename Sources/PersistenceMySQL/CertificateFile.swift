import CMariaDB

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Certificates under a path, because the client library reads them from a path only.
///
/// The file exists in memory and has no name that another process could open without our rights; it is gone when the
/// last reference is.
final class CertificateFile: Sendable {
    private let descriptor: Int32

    /// Opening it gives a new position, at the beginning.
    var path: String { "/proc/self/fd/\(descriptor)" }

    init(_ text: String) throws(MySQLConfigurationProblem) {
        descriptor = cairn_memory_file("database-ca")
        guard descriptor >= 0 else { throw .certificateAuthorityUnusable(Self.reason()) }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            // From here on `deinit` closes, as every property has its value.
            guard written > 0 else { throw .certificateAuthorityUnusable(Self.reason()) }
            rest = rest.dropFirst(written)
        }
    }

    deinit {
        close(descriptor)
    }

    private static func reason() -> String {
        String(cString: strerror(errno))
    }
}
