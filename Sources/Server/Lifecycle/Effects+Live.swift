import Crypto
package import Kernel

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension Effects {
    /// The clock of the system and OpenSSL's random bytes.
    ///
    /// Made here and nowhere else.
    package static let live = Effects(
        now: {
            var time = timespec()
            clock_gettime(CLOCK_REALTIME, &time)
            return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
        },
        randomBytes: { count in Random.bytes(count) }
    )
}
