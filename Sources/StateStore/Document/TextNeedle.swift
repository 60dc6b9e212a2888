#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Bytes that are looked for in many texts, at the C library's speed.
package struct TextNeedle: Sendable {
    package let bytes: [UInt8]
    /// Index of the byte that is searched for first: texts of states hold few capitals, and every miss is one stop less.
    private let anchor: Int

    /// - Parameter text: not empty.
    package init(_ text: StaticString) {
        precondition(text.utf8CodeUnitCount > 0, "nothing to look for")
        bytes = Array(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
        anchor = bytes.lastIndex { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) } ?? 0
    }

    package func isIn(_ text: ArraySlice<UInt8>) -> Bool {
        text.withUnsafeBytes { text in
            bytes.withUnsafeBytes { needle in
                guard let start = text.baseAddress, let wanted = needle.baseAddress, text.count >= needle.count else {
                    return false
                }
                // Where the anchor of the first and behind that of the last possible place stands.
                var place = start + anchor
                let end = start + (text.count - needle.count + anchor + 1)
                while place < end, let found = memchr(place, Int32(needle[anchor]), end - place) {
                    if memcmp(found - anchor, wanted, needle.count) == 0 { return true }
                    place = UnsafeRawPointer(found) + 1
                }
                return false
            }
        }
    }
}
