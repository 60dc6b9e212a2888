/// Finds the borders of resources, operations, entries and envelope members while a JSON text passes in windows.
///
/// It is a state machine that keeps its state from window to window, so memory does not grow with the text: a value
/// that lies within a window is given out as a slice of it; one that crosses a border is collected, up to
/// `Limits.value`. On the way it checks the whole text: grammar, UTF-8, depth, length of numbers, and that keys which
/// name a part are unique. Bytes are never changed; lone surrogate escapes, duplicate keys and any number pass as they
/// are.
package struct Cutter {
    package struct Limits: Sendable {
        /// Containers inside each other.
        ///
        /// At most 512.
        package var depth = 512
        /// Bytes of one member or element.
        package var value = 128 << 20
        /// Bytes of white space between two values that are cut, about: whoever keeps the text keeps them, too, until
        /// there is something to cut.
        package var blank = 1 << 20
        /// Characters of one number.
        package var number = 1_000

        package init() {}
    }

    /// What the next byte belongs to.
    enum State: UInt8 {
        case value, firstElement, firstKey, nextKey, colon, separator, end
        case string, escape, hex, utf8
        case minus, zero, integer, point, fraction, exponent, exponentSign, exponentDigits
        case literal
    }

    // The machine.
    var state = State.value
    var depth = 0
    /// One bit per open container: 1 for objects.
    var objects: InlineArray<8, UInt64> = .init(repeating: 0)
    var inKey = false
    /// Hexadecimal digits or continuation bytes still to come.
    var rest: UInt8 = 0
    /// What the next continuation byte may be.
    var lowest: UInt8 = 0x80
    var highest: UInt8 = 0xbf
    /// The letters of `true`, `false` or `null` still to come, the next one in the lowest byte.
    var letters: UInt32 = 0
    var numberStart = 0
    let limits: Limits

    // The parts.
    /// The depth just inside the innermost open part: only there does anything have to be cut.
    var watched = 0
    private let root: Part
    private var open: [Part] = []
    private var seen: [UInt16] = []
    private var key = ""
    private var entering: Part?
    /// Offset where the value or key being cut begins; nil between them.
    private var mark: Int?
    /// Its bytes from earlier windows.
    private var carry: [UInt8] = []
    private var window: ArraySlice<UInt8> = []
    private var cuts: [Cut] = []
    /// Offset behind what was cut last.
    private var cutEnd = 0

    /// Offset of the window's first byte.
    package private(set) var offset = 0
    private var failure: ScanError?

    /// Makes a cutter for a text whose outermost value is `root`.
    package init(_ root: Part, limits: Limits = Limits()) {
        precondition(limits.depth <= 512, "the stack of containers has 512 bits")
        self.root = root
        self.limits = limits
    }

    /// Reads the next window and appends what it completes to `cuts`.
    ///
    /// The slices given out share the window's storage. After an error the cutter throws the same error for ever.
    package mutating func feed(_ bytes: ArraySlice<UInt8>, into cuts: inout [Cut]) throws(ScanError) {
        if let failure { throw failure }
        window = bytes
        swap(&self.cuts, &cuts)
        defer {
            swap(&self.cuts, &cuts)
            window = []
        }
        do {
            try run(bytes.span)
            try keepRest()
        } catch {
            failure = error
            throw error
        }
        offset += bytes.count
    }

    /// Checks that the text is complete.
    package mutating func finish() throws(ScanError) {
        if let failure { throw failure }
        guard state == .end else { throw ScanError(.unexpectedEnd, at: offset) }
    }

    /// Cuts a text that is all at hand.
    package static func cut(
        _ text: ArraySlice<UInt8>,
        as root: Part,
        limits: Limits = Limits()
    ) throws(ScanError) -> [Cut] {
        var cutter = Cutter(root, limits: limits)
        var cuts: [Cut] = []
        try cutter.feed(text, into: &cuts)
        try cutter.finish()
        return cuts
    }
}

// MARK: - What happens at the watched depth

extension Cutter {
    /// A value begins with `byte`.
    mutating func valueBegan(_ byte: UInt8, at index: Int) throws(ScanError) {
        let part: Part? =
            if let container = open.last {
                container.isObject ? container.child(key) : nil
            } else {
                root
            }
        if let part, byte == (part.isObject ? UInt8(ascii: "{") : UInt8(ascii: "[")) {
            try noteUnique(part, at: index)
            entering = part
            return
        }
        if open.isEmpty {
            throw ScanError(.wrongKind(expected: root.isObject ? "a JSON object" : "a JSON array"), at: offset + index)
        }
        if let part { try noteUnique(part, at: index) }
        mark = offset + index
    }

    /// The value that began last ends before `index`.
    mutating func valueEnded(at index: Int) throws(ScanError) {
        guard let start = mark, let part = open.last else { return }
        let value = try take(from: start, to: index)
        if part.isObject {
            cuts.append(.member(part, key: key, value: value, offset: start))
        } else {
            cuts.append(.element(part, value: value, offset: start))
        }
    }

    /// The characters of a key begin at `index`.
    mutating func keyBegan(at index: Int) {
        mark = offset + index
    }

    /// The key that began last ends before `index`.
    mutating func keyEnded(at index: Int) throws(ScanError) {
        guard let start = mark else { return }
        key = String(decoding: JSONText.decode(try take(from: start, to: index)), as: UTF8.self)
    }

    /// The container at `index` was opened; `depth` counts it already.
    mutating func containerOpened(at index: Int) {
        guard let part = entering else { return }
        entering = nil
        open.append(part)
        seen.append(0)
        watched = depth
        cutEnd = offset + index
        cuts.append(.opened(part, offset: offset + index))
    }

    /// The innermost part was closed by the byte at `index`; `depth` does not count it any more.
    mutating func partClosed(at index: Int) {
        seen.removeLast()
        watched = depth
        cutEnd = offset + index
        cuts.append(.closed(open.removeLast(), end: offset + index + 1))
    }

    private mutating func noteUnique(_ part: Part, at index: Int) throws(ScanError) {
        guard !seen.isEmpty else { return }
        let bit: UInt16 = 1 << UInt16(part.rawValue)
        guard seen[seen.count - 1] & bit == 0 else { throw ScanError(.duplicateKey(key), at: offset + index) }
        seen[seen.count - 1] |= bit
    }

    /// The bytes from offset `start` to the window's `index`.
    private mutating func take(from start: Int, to index: Int) throws(ScanError) -> ArraySlice<UInt8> {
        guard offset + index - start <= limits.value else {
            throw ScanError(.valueTooLong(limit: limits.value), at: start)
        }
        mark = nil
        cutEnd = offset + index
        let end = window.startIndex + index
        guard start < offset else { return window[(window.startIndex + start - offset)..<end] }
        carry += window[..<end]
        defer { carry = [] }
        return carry[...]
    }

    /// Keeps what the window holds of the value being cut; between values there is white space alone.
    private mutating func keepRest() throws(ScanError) {
        guard let mark else {
            guard offset + window.count - cutEnd <= limits.blank else {
                throw ScanError(.blankTooLong(limit: limits.blank), at: cutEnd)
            }
            return
        }
        guard offset + window.count - mark <= limits.value else {
            throw ScanError(.valueTooLong(limit: limits.value), at: mark)
        }
        carry += window.dropFirst(max(0, mark - offset))
    }
}
