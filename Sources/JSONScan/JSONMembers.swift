/// One member of an object: where its key and its value stand.
package struct JSONMember: Sendable, Equatable {
    /// The characters between the key's quotes, in the indices of the slice.
    package var key: Range<Int>
    package var value: Range<Int>

    /// From the key's opening quote to the value's end.
    package var whole: Range<Int> { (key.lowerBound - 1)..<value.upperBound }
}

/// The members of an object, one after the other, as ranges of its text.
///
/// For text that a `Cutter` has checked: this one skips, it does not check. Other text ends the walk early and never
/// reads outside of the slice. Anything but an object has no members.
package struct JSONMembers: Sequence, IteratorProtocol {
    private let text: ArraySlice<UInt8>
    private var walk: JSONMemberWalk

    /// The index behind the object's closing bracket, once all members were given out; the text may go on there.
    package var end: Int? { walk.end.map { text.startIndex + $0 } }

    package init(of text: ArraySlice<UInt8>) {
        self.text = text
        walk = JSONMemberWalk(of: text.span)
    }

    package mutating func next() -> JSONMember? {
        let text = text
        return walk.next(text.span)?.moved(by: text.startIndex)
    }

    /// The next member's key, and where its value begins, for whoever finds the value's end on the way through it.
    ///
    /// Before the next member is asked for, `skipValue` or `endValue` must be called.
    package mutating func nextKey() -> (key: Range<Int>, value: Int)? {
        let text = text
        guard let (key, value) = walk.nextKey(text.span) else { return nil }
        return (key.moved(by: text.startIndex), value + text.startIndex)
    }

    /// Goes on behind a value whose key `nextKey` gave out.
    package mutating func endValue(at end: Int) {
        walk.endValue(at: end - text.startIndex)
    }

    /// Skips the value that begins at `start`, whose key `nextKey` gave out.
    ///
    /// - Returns: the value's range.
    package mutating func skipValue(from start: Int) -> Range<Int> {
        let text = text
        return walk.skipValue(text.span, from: start - text.startIndex).moved(by: text.startIndex)
    }
}

/// The place in a walk over an object's members; the text is handed in at each step, always the same.
///
/// What `JSONMembers` says holds here as well, but ranges count from the text's beginning, and nothing is retained: for
/// walks over thousands of objects.
package struct JSONMemberWalk {
    private var index: Int

    /// The index behind the object's closing bracket, once all members were given out.
    package private(set) var end: Int?

    package init(of bytes: Span<UInt8>) {
        let start = JSONSkip.whitespace(bytes, 0)
        index = start < bytes.count && bytes[start] == UInt8(ascii: "{") ? start + 1 : bytes.count
    }

    package mutating func next(_ bytes: Span<UInt8>) -> JSONMember? {
        guard let (key, start) = nextKey(bytes) else { return nil }
        let value = skipValue(bytes, from: start)
        return value.isEmpty ? nil : JSONMember(key: key, value: value)
    }

    /// The next member's key, and where its value begins; `skipValue` or `endValue` must follow.
    package mutating func nextKey(_ bytes: Span<UInt8>) -> (key: Range<Int>, value: Int)? {
        guard let keyStart = JSONSkip.toItem(bytes, index) else {
            let close = JSONSkip.whitespace(bytes, index)
            if close < bytes.count, bytes[close] == UInt8(ascii: "}") { end = close + 1 }
            return nil
        }
        guard bytes[keyStart] == UInt8(ascii: "\"") else { return nil }
        let keyEnd = JSONSkip.stringEnd(bytes, keyStart + 1)
        let colon = JSONSkip.whitespace(bytes, keyEnd + 1)
        guard colon < bytes.count, bytes[colon] == UInt8(ascii: ":") else { return nil }
        index = bytes.count
        return ((keyStart + 1)..<keyEnd, JSONSkip.whitespace(bytes, colon + 1))
    }

    /// Goes on behind a value whose key `nextKey` gave out.
    package mutating func endValue(at end: Int) {
        index = end
    }

    /// Skips the value that begins at `start`, whose key `nextKey` gave out, and answers its range.
    package mutating func skipValue(_ bytes: Span<UInt8>, from start: Int) -> Range<Int> {
        index = JSONSkip.value(bytes, start)
        return start..<index
    }
}

extension Range<Int> {
    fileprivate func moved(by distance: Int) -> Range<Int> {
        (lowerBound + distance)..<(upperBound + distance)
    }
}

extension JSONMember {
    fileprivate func moved(by distance: Int) -> JSONMember {
        JSONMember(key: key.moved(by: distance), value: value.moved(by: distance))
    }
}

/// The elements of an array as ranges of its text; what `JSONMembers` says holds here as well.
package struct JSONElements: Sequence, IteratorProtocol {
    private let text: ArraySlice<UInt8>
    private var index: Int

    package init(of text: ArraySlice<UInt8>) {
        self.text = text
        let bytes = text.span
        let start = JSONSkip.whitespace(bytes, 0)
        index = start < bytes.count && bytes[start] == UInt8(ascii: "[") ? start + 1 : bytes.count
    }

    package mutating func next() -> Range<Int>? {
        let text = text
        let bytes = text.span
        guard let start = JSONSkip.toItem(bytes, index) else { return nil }
        let end = JSONSkip.value(bytes, start)
        guard start < end else { return nil }
        index = end
        return (text.startIndex + start)..<(text.startIndex + end)
    }
}

/// Skipping over text that is known to be JSON.
///
/// Every function answers the length of the text when it runs out.
enum JSONSkip {
    @inline(__always)
    static func whitespace(_ bytes: Span<UInt8>, _ start: Int) -> Int {
        var index = start
        while index < bytes.count, bytes[index] <= 0x20 { index += 1 }
        return Swift.min(index, bytes.count)
    }

    /// The next member or element: behind a comma and white space, unless a bracket closes here.
    @inline(__always)
    static func toItem(_ bytes: Span<UInt8>, _ start: Int) -> Int? {
        var index = whitespace(bytes, start)
        if index < bytes.count, bytes[index] == UInt8(ascii: ",") { index = whitespace(bytes, index + 1) }
        guard index < bytes.count, bytes[index] != UInt8(ascii: "}"), bytes[index] != UInt8(ascii: "]") else {
            return nil
        }
        return index
    }

    /// Index of the quote that closes the string whose characters begin at `start`.
    @inline(__always)
    static func stringEnd(_ bytes: Span<UInt8>, _ start: Int) -> Int {
        var index = ByteSearch.quoteOrBackslash(bytes, from: Swift.min(start, bytes.count))
        while index < bytes.count, bytes[index] == UInt8(ascii: "\\") {
            index = ByteSearch.quoteOrBackslash(bytes, from: Swift.min(index + 2, bytes.count))
        }
        return index
    }

    /// End of the value that begins at `start`.
    static func value(_ bytes: Span<UInt8>, _ start: Int) -> Int {
        guard start < bytes.count else { return bytes.count }
        switch bytes[start] {
        case UInt8(ascii: "\""):
            return Swift.min(stringEnd(bytes, start + 1) + 1, bytes.count)
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            return container(bytes, start)
        default:
            var index = start
            while index < bytes.count, isScalar(bytes[index]) { index += 1 }
            return index
        }
    }

    private static func container(_ bytes: Span<UInt8>, _ start: Int) -> Int {
        var index = start
        var depth = 0
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            if byte == UInt8(ascii: "\"") {
                index = stringEnd(bytes, index) + 1
                // Most strings are followed by another one.
                while index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "\""),
                    bytes[index] == UInt8(ascii: ":") || bytes[index] == UInt8(ascii: ",")
                {
                    index = stringEnd(bytes, index + 2) + 1
                }
            } else if byte | 0x20 == UInt8(ascii: "{") {
                depth += 1
            } else if byte | 0x20 == UInt8(ascii: "}") {
                depth -= 1
                if depth == 0 { return index }
            }
        }
        return bytes.count
    }

    @inline(__always)
    private static func isScalar(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte != UInt8(ascii: ",") && byte != UInt8(ascii: "}") && byte != UInt8(ascii: "]")
    }
}
