#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Key material that is held once, never copied by itself, and wiped when the last owner lets go of it.
///
/// It lies on pages of its own that are kept out of core dumps, and out of the swap where the limit on locked memory
/// allows; both are best effort. It has no description, no coding and no comparison; use `Crypto.ConstantTime`.
///
/// SAFETY: `@unchecked` because of the pointer; what it points to is written in `init` and in `deinit` only.
package final class SecretBytes: @unchecked Sendable, CustomStringConvertible, CustomReflectable {
    private let storage: UnsafeMutableRawBufferPointer
    /// How many bytes of the pages are in use.
    package let count: Int

    /// Makes room and lets `fill` write it.
    package init(count: Int, fill: (UnsafeMutableRawBufferPointer) throws -> Void) rethrows {
        let page = max(4096, sysconf(Int32(_SC_PAGESIZE)))
        let size = max(1, (count + page - 1) / page) * page
        storage = .allocate(byteCount: size, alignment: page)
        storage.initializeMemory(as: UInt8.self, repeating: 0)
        self.count = count
        _ = mlock(storage.baseAddress, size)
        _ = madvise(storage.baseAddress, size, Int32(MADV_DONTDUMP))
        try fill(UnsafeMutableRawBufferPointer(rebasing: storage[..<count]))
    }

    /// Takes the bytes over and wipes where they were.
    package convenience init(wiping bytes: inout [UInt8]) {
        self.init(count: bytes.count) { $0.copyBytes(from: bytes) }
        bytes.withUnsafeMutableBytes { Self.wipe($0) }
        bytes = []
    }

    deinit {
        Self.wipe(storage)
        _ = munlock(storage.baseAddress, storage.count)
        storage.deallocate()
    }

    package func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try body(UnsafeRawBufferPointer(rebasing: storage[..<count]))
    }

    package var description: String { "[redacted]" }
    package var customMirror: Mirror { Mirror(self, children: []) }

    /// Overwrites memory in a way that the compiler cannot leave out.
    package static func wipe(_ bytes: UnsafeMutableRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        explicit_bzero(start, bytes.count)
    }
}
