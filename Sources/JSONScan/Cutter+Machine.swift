// The state machine itself. Each function takes the window and the index of the next byte, and moves it on.

extension Cutter {
    /// Runs over a whole window.
    mutating func run(_ bytes: Span<UInt8>) throws(ScanError) {
        var index = 0
        while index < bytes.count {
            switch state {
            case .string: try runString(bytes, &index)
            case .escape, .hex, .utf8: try runCharacter(bytes, &index)
            case .minus, .zero, .integer, .point, .fraction, .exponent, .exponentSign, .exponentDigits:
                try runNumber(bytes, &index)
            case .literal: try runLiteral(bytes, &index)
            case .value, .firstElement, .firstKey, .nextKey, .colon, .separator, .end:
                try runStructure(bytes, &index)
            }
        }
    }

    // MARK: Between values

    /// Runs over structure until a string, number or literal begins.
    @inline(__always)
    private mutating func runStructure(_ bytes: Span<UInt8>, _ index: inout Int) throws(ScanError) {
        while index < bytes.count {
            let byte = bytes[index]
            if byte <= 0x20 {
                guard byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 else { throw bad(byte, index) }
                index += 1
                continue
            }
            switch state {
            case .separator:
                try runSeparator(byte, &index)
            case .colon:
                guard byte == UInt8(ascii: ":") else { throw bad(byte, index) }
                state = .value
                index += 1
            case .firstKey where byte == UInt8(ascii: "}"), .firstElement where byte == UInt8(ascii: "]"):
                try close(at: index)
                index += 1
            case .firstKey, .nextKey:
                guard byte == UInt8(ascii: "\"") else { throw bad(byte, index) }
                index += 1
                if depth == watched { keyBegan(at: index) } else { Self.runPlainMembers(bytes, &index) }
                guard try runWholeString(bytes, &index, isKey: true) else { return }
            case .value, .firstElement:
                if depth == watched { try valueBegan(byte, at: index) }
                if byte == UInt8(ascii: "\"") {
                    index += 1
                    guard try runWholeString(bytes, &index, isKey: false) else { return }
                    continue
                }
                guard try openContainer(byte, at: index) else {
                    try beginScalar(byte, &index)
                    return
                }
                index += 1
            default:
                throw bad(byte, index)
            }
        }
    }

    @inline(__always)
    private mutating func runSeparator(_ byte: UInt8, _ index: inout Int) throws(ScanError) {
        let isObject = innermostIsObject
        if byte == UInt8(ascii: ",") {
            state = isObject ? .nextKey : .value
        } else if byte == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
            try close(at: index)
        } else {
            throw bad(byte, index)
        }
        index += 1
    }

    @inline(__always)
    private mutating func openContainer(_ byte: UInt8, at index: Int) throws(ScanError) -> Bool {
        guard byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") else { return false }
        guard depth < limits.depth else { throw ScanError(.tooDeep(limit: limits.depth), at: offset + index) }
        let bit: UInt64 = 1 << UInt64(depth & 63)
        if byte == UInt8(ascii: "{") {
            objects[depth >> 6] |= bit
            state = .firstKey
        } else {
            objects[depth >> 6] &= ~bit
            state = .firstElement
        }
        depth += 1
        if depth == watched + 1 { containerOpened(at: index) }
        return true
    }

    @inline(__always)
    private mutating func close(at index: Int) throws(ScanError) {
        let closesPart = depth == watched
        depth -= 1
        if closesPart { partClosed(at: index) }
        try endValue(at: index + 1)
    }

    @inline(__always)
    private var innermostIsObject: Bool {
        objects[(depth - 1) >> 6] & (1 << UInt64((depth - 1) & 63)) != 0
    }

    @inline(__always)
    private mutating func endValue(at index: Int) throws(ScanError) {
        state = depth == 0 ? .end : .separator
        if depth == watched { try valueEnded(at: index) }
    }

    @inline(__always)
    private mutating func beginScalar(_ byte: UInt8, _ index: inout Int) throws(ScanError) {
        switch byte {
        case UInt8(ascii: "-"):
            numberStart = offset + index
            state = .minus
        case UInt8(ascii: "0"):
            numberStart = offset + index
            state = .zero
        case UInt8(ascii: "1")...UInt8(ascii: "9"):
            numberStart = offset + index
            state = .integer
        case UInt8(ascii: "t"): beginLiteral(0x65_75_72)  // "rue", read backwards
        case UInt8(ascii: "f"): beginLiteral(0x65_73_6c_61)  // "alse"
        case UInt8(ascii: "n"): beginLiteral(0x6c_6c_75)  // "ull"
        default: throw bad(byte, index)
        }
        index += 1
    }

    private mutating func beginLiteral(_ rest: UInt32) {
        state = .literal
        letters = rest
    }

    // MARK: Strings

    /// Runs over members like `"key":"value","`, of which states are full, up to the key of one that is not like that.
    ///
    /// What it runs over is plain, whole and in this window, so the state at its end is that at its beginning: `index`
    /// is behind the quote that begins a key.
    @inline(__always)
    private static func runPlainMembers(_ bytes: Span<UInt8>, _ index: inout Int) {
        let quote = UInt8(ascii: "\"")
        while true {
            let keyEnd = ByteSearch.endOfPlainText(bytes, from: index)
            guard keyEnd + 3 <= bytes.count, bytes[keyEnd] == quote, bytes[keyEnd + 1] == UInt8(ascii: ":"),
                bytes[keyEnd + 2] == quote
            else { return }
            let valueEnd = ByteSearch.endOfPlainText(bytes, from: keyEnd + 3)
            guard valueEnd + 3 <= bytes.count, bytes[valueEnd] == quote, bytes[valueEnd + 1] == UInt8(ascii: ","),
                bytes[valueEnd + 2] == quote
            else { return }
            index = valueEnd + 3
        }
    }

    /// Runs over a string that begins at `index`, as most do: plain text that ends in this window.
    ///
    /// - Returns: false where it holds anything else; `index` is there, and `runString` goes on.
    @inline(__always)
    private mutating func runWholeString(
        _ bytes: Span<UInt8>,
        _ index: inout Int,
        isKey: Bool
    ) throws(ScanError) -> Bool {
        index = ByteSearch.endOfPlainText(bytes, from: index)
        guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else {
            state = .string
            inKey = isKey
            return false
        }
        try endString(&index, isKey: isKey)
        return true
    }

    /// Ends a string with the quote at `index`.
    @inline(__always)
    private mutating func endString(_ index: inout Int, isKey: Bool) throws(ScanError) {
        if isKey {
            state = .colon
            if depth == watched { try keyEnded(at: index) }
            index += 1
        } else {
            index += 1
            try endValue(at: index)
        }
    }

    @inline(__always)
    private mutating func runString(_ bytes: Span<UInt8>, _ index: inout Int) throws(ScanError) {
        index = ByteSearch.endOfPlainText(bytes, from: index)
        guard index < bytes.count else { return }
        let byte = bytes[index]
        switch byte {
        case UInt8(ascii: "\""):
            try endString(&index, isKey: inKey)
        case UInt8(ascii: "\\"):
            state = .escape
            index += 1
        case 0x80...:
            try beginCharacter(byte, index)
            index += 1
        default:
            throw bad(byte, index)  // control characters must be escaped
        }
    }

    /// The first byte of a character beyond ASCII: how many follow, and what the next one may be (RFC 3629 §4).
    private mutating func beginCharacter(_ byte: UInt8, _ index: Int) throws(ScanError) {
        lowest = 0x80
        highest = 0xbf
        switch byte {
        case 0xc2...0xdf: rest = 1
        case 0xe0...0xef:
            rest = 2
            if byte == 0xe0 { lowest = 0xa0 }
            if byte == 0xed { highest = 0x9f }
        case 0xf0...0xf4:
            rest = 3
            if byte == 0xf0 { lowest = 0x90 }
            if byte == 0xf4 { highest = 0x8f }
        default: throw ScanError(.invalidUTF8, at: offset + index)
        }
        state = .utf8
    }

    /// One byte of an escape or of a character beyond ASCII.
    private mutating func runCharacter(_ bytes: Span<UInt8>, _ index: inout Int) throws(ScanError) {
        let byte = bytes[index]
        switch state {
        case .utf8:
            guard byte >= lowest, byte <= highest else { throw ScanError(.invalidUTF8, at: offset + index) }
            lowest = 0x80
            highest = 0xbf
            rest -= 1
            if rest == 0 { state = .string }
        case .hex:
            guard JSONText.hexValue(byte) != nil else { throw bad(byte, index) }
            rest -= 1
            if rest == 0 { state = .string }
        default:
            switch byte {
            case UInt8(ascii: "u"):
                state = .hex
                rest = 4
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
                UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
                state = .string
            default:
                throw bad(byte, index)
            }
        }
        index += 1
    }

    // MARK: Numbers and literals

    private mutating func runLiteral(_ bytes: Span<UInt8>, _ index: inout Int) throws(ScanError) {
        while index < bytes.count {
            let byte = bytes[index]
            guard byte == UInt8(truncatingIfNeeded: letters) else { throw bad(byte, index) }
            index += 1
            letters >>= 8
            if letters == 0 { return try endValue(at: index) }
        }
    }

    /// Runs over a number; it ends before the first byte that cannot belong to it.
    private mutating func runNumber(_ bytes: Span<UInt8>, _ index: inout Int) throws(ScanError) {
        while index < bytes.count {
            let byte = bytes[index]
            guard let next = Self.numberState(after: state, byte) else {
                guard state.endsNumber else { throw bad(byte, index) }
                return try endValue(at: index)
            }
            index += 1
            guard offset + index - numberStart <= limits.number else {
                throw ScanError(.numberTooLong(limit: limits.number), at: numberStart)
            }
            state = next
        }
    }

    @inline(__always)
    private static func numberState(after state: State, _ byte: UInt8) -> State? {
        let isDigit = byte &- 0x30 < 10
        switch state {
        case .minus: return isDigit ? (byte == 0x30 ? .zero : .integer) : nil
        case .point, .fraction: if isDigit { return .fraction }
        case .exponent, .exponentSign, .exponentDigits: if isDigit { return .exponentDigits }
        case .integer: if isDigit { return .integer }
        default: break
        }
        switch byte {
        case UInt8(ascii: "."): return state == .integer || state == .zero ? .point : nil
        case UInt8(ascii: "e"), UInt8(ascii: "E"):
            return state == .integer || state == .zero || state == .fraction ? .exponent : nil
        case UInt8(ascii: "+"), UInt8(ascii: "-"): return state == .exponent ? .exponentSign : nil
        default: return nil
        }
    }

    private func bad(_ byte: UInt8, _ index: Int) -> ScanError {
        ScanError(.unexpectedByte(byte), at: offset + index)
    }
}

extension Cutter.State {
    /// Whether a number may end here.
    fileprivate var endsNumber: Bool {
        switch self {
        case .zero, .integer, .fraction, .exponentDigits: true
        default: false
        }
    }
}
