import Kernel

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What an operator is told of a folder that cannot be used.
enum FolderProblem {
    /// The path, the reason, who we are, and whose the folder is.
    static func explain(_ failure: FileFailure, path: String) -> String {
        let user = "this process runs as user \(geteuid())"
        var status = stat()
        guard stat(path, &status) == 0 else { return "cannot use the folder \(path): \(failure.reason); \(user)" }
        let mode = String(status.st_mode & 0o7777, radix: 8)
        let owner = "the folder belongs to user \(status.st_uid) and has mode 0\(mode)"
        return "cannot use the folder \(path): \(failure.reason) (\(failure.operation)); \(user), \(owner)"
    }
}
