#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// An open file that is closed when nobody holds it any more, so that an answer dropped on any path leaks nothing.
package final class OpenFile: Sendable {
    /// The descriptor; valid for as long as this object lives.
    package let descriptor: Int32

    /// Takes over an open descriptor.
    package init(owning descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }
}
