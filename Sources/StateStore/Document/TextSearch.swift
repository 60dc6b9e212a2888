#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Searches texts for bytes, at the C library's speed.
enum TextSearch {
    /// Whether a needle, which is not empty, is in a text.
    static func contains(_ needle: [UInt8], in text: ArraySlice<UInt8>) -> Bool {
        text.withUnsafeBytes { text in
            needle.withUnsafeBytes { needle in
                guard var place = text.baseAddress, let first = needle.first, let start = needle.baseAddress else {
                    return false
                }
                let end = place + text.count
                while end - place >= needle.count,
                    let found = memchr(place, Int32(first), end - place - needle.count + 1)
                {
                    if memcmp(found, start, needle.count) == 0 { return true }
                    place = UnsafeRawPointer(found) + 1
                }
                return false
            }
        }
    }
}
