import Kernel

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The folder for everything that is kept on this machine.
package enum DataFolder {
    /// Makes the folder, for its owner only, if it is missing, and tries whether it can be written to.
    ///
    /// - Throws: `StartError` with the path, the user and what to do.
    package static func prepare(_ path: String) throws(StartError) {
        if mkdir(path, 0o700) != 0, errno != EEXIST {
            throw StartError("cannot make the data folder \(path): \(reason()); set CAIRN_DATA to a folder of yours")
        }
        guard access(path, W_OK | X_OK) == 0 else {
            throw StartError(
                "cannot write to the data folder \(path) as user \(getuid()): \(reason()); change its owner or set CAIRN_DATA"
            )
        }
    }

    private static func reason() -> String {
        String(cString: strerror(errno))
    }
}

/// Why the server cannot start: one line that says what to do.
package struct StartError: Error, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
