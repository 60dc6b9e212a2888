/// The non-empty segments of a raw path, as positions in it, each decoded once.
///
/// A path of the contract has at most 12 segments, so their positions fit into the value and matching allocates
/// nothing. Empty segments collapse (`spec/rest-wider.md` §1.5: clients send `open//{id}`).
package struct PathSegments: Sendable {
    /// More segments than any route has.
    static let limit = 16

    /// Why a path cannot be matched at all.
    package enum Problem: Error, Equatable {
        /// `%` without two hexadecimal digits behind it.
        case badEscape
        /// `%00`, or a NUL as it is.
        case nul
        /// A segment `.` or `..`, escaped or not: nobody behind us may read the path differently.
        case dots
        /// More segments than any route has.
        case tooMany
    }

    struct Segment: Sendable {
        var start: Int32 = 0
        var end: Int32 = 0
        /// Of the decoded bytes.
        var hash: UInt32 = 0
        var isEscaped = false
    }

    private(set) var count = 0
    private var segments = InlineArray<16, Segment>(repeating: Segment())

    /// Splits `path`, which ends before the `?`.
    package init(_ path: Span<UInt8>) throws(Problem) {
        var position = 0
        while position < path.count {
            if path[position] == UInt8(ascii: "/") {
                position += 1
                continue
            }
            guard count < Self.limit else { throw .tooMany }
            segments[count] = try Self.segment(of: path, from: &position)
            count += 1
        }
    }

    subscript(index: Int) -> Segment { segments[index] }

    /// Whether the decoded segment at `index` is `literal`.
    func matches(_ index: Int, of path: Span<UInt8>, _ literal: Span<UInt8>) -> Bool {
        let segment = segments[index]
        var position = Int(segment.start)
        let end = Int(segment.end)
        if !segment.isEscaped, end - position != literal.count { return false }
        for expected in literal.indices {
            guard position < end, PercentEncoding.byte(of: path, at: &position, end: end) == literal[expected] else {
                return false
            }
        }
        return position == end
    }

    /// The decoded bytes of the segment at `index`.
    func bytes(_ index: Int, of path: Span<UInt8>) -> [UInt8] {
        let segment = segments[index]
        var position = Int(segment.start)
        let end = Int(segment.end)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(end - position)
        while position < end, let byte = PercentEncoding.byte(of: path, at: &position, end: end) {
            bytes.append(byte)
        }
        return bytes
    }

    private static func segment(of path: Span<UInt8>, from position: inout Int) throws(Problem) -> Segment {
        var segment = Segment(start: Int32(position))
        var hash = FNV()
        var dots = 0
        var length = 0
        while position < path.count, path[position] != UInt8(ascii: "/") {
            if path[position] == UInt8(ascii: "%") { segment.isEscaped = true }
            guard let byte = PercentEncoding.byte(of: path, at: &position, end: path.count) else { throw .badEscape }
            guard byte != 0 else { throw .nul }
            if byte == UInt8(ascii: ".") { dots += 1 }
            length += 1
            hash.combine(byte)
        }
        guard length > 2 || dots != length else { throw .dots }
        segment.end = Int32(position)
        segment.hash = hash.value
        return segment
    }
}

/// The 32-bit Fowler–Noll–Vo hash: a few bytes, one multiplication each.
struct FNV {
    private(set) var value: UInt32 = 0x811C_9DC5

    mutating func combine(_ byte: UInt8) {
        value = (value ^ UInt32(byte)) &* 0x0100_0193
    }

    static func hash(_ bytes: some Sequence<UInt8>) -> UInt32 {
        var hash = FNV()
        for byte in bytes { hash.combine(byte) }
        return hash.value
    }
}

/// Percent-encoding (RFC 3986 §2.1).
package enum PercentEncoding {
    /// The byte at `position`, decoded; moves behind it.
    ///
    /// Nil for a broken escape.
    static func byte(of text: Span<UInt8>, at position: inout Int, end: Int) -> UInt8? {
        let byte = text[position]
        guard byte == UInt8(ascii: "%") else {
            position += 1
            return byte
        }
        guard position + 2 < end, let high = hexDigit(text[position + 1]), let low = hexDigit(text[position + 2]) else {
            return nil
        }
        position += 3
        return high << 4 | low
    }

    /// `text` decoded once; nil for a broken escape.
    package static func decode(_ text: [UInt8]) -> [UInt8]? {
        guard text.contains(UInt8(ascii: "%")) else { return text }
        var decoded: [UInt8] = []
        decoded.reserveCapacity(text.count)
        var position = 0
        while position < text.count {
            guard let byte = byte(of: text.span, at: &position, end: text.count) else { return nil }
            decoded.append(byte)
        }
        return decoded
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 48...57: byte - 48
        case 65...70: byte - 55
        case 97...102: byte - 87
        default: nil
        }
    }
}
