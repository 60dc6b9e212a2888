/// What a request asks for, exactly as sent: nothing is decoded, folded or collapsed.
///
/// The server has made sure that it is ASCII without spaces, controls or `#`, and that it begins with `/` (or is `*`, for
/// `OPTIONS` only). Of the absolute form (`http://host/path`) it keeps what follows the host.
package struct RawTarget: Hashable, Sendable, CustomStringConvertible {
    /// Path and query, with the question mark between them.
    package let text: String

    /// The UTF-8 offset of the first question mark, or the length.
    private let pathLength: Int

    package init(_ text: String) {
        self.text = text
        let bytes = text.utf8
        var length = 0
        for byte in bytes {
            if byte == UInt8(ascii: "?") { break }
            length += 1
        }
        pathLength = length
    }

    /// What precedes the first question mark.
    package var path: Substring {
        text[..<text.utf8.index(text.startIndex, offsetBy: pathLength)]
    }

    /// Whether the path is this one, to the byte; most others have another length.
    package func hasPath(_ path: String) -> Bool {
        path.utf8.count == pathLength && text.utf8.prefix(pathLength).elementsEqual(path.utf8)
    }

    /// What follows the first question mark; nil without one, empty when nothing follows.
    package var query: Substring? {
        let mark = text.utf8.index(text.startIndex, offsetBy: pathLength)
        return mark == text.endIndex ? nil : text[text.utf8.index(after: mark)...]
    }

    package var description: String { text }
}
