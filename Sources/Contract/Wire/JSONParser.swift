/// A strict parser of JSON text (RFC 8259) over UTF-8 bytes.
///
/// It works on an array, so every access is checked: its input comes from outside.
struct JSONParser {
    private let bytes: [UInt8]
    private let limits: JSONLimits
    private var position = 0
    private var values = 0

    init(_ bytes: [UInt8], limits: JSONLimits) {
        self.bytes = bytes
        self.limits = limits
    }

    /// The whole text as one value.
    mutating func parseText() throws(JSONError) -> JSONValue {
        guard bytes.count <= limits.bytes, bytes.count < Int(UInt32.max) else {
            throw JSONError(.tooLarge, at: limits.bytes, "is longer than \(limits.bytes) bytes")
        }
        skipSpace()
        let value = try parseValue(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw unexpected("the end") }
        return value
    }

    static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }

    // MARK: - Values

    private mutating func parseValue(depth: Int) throws(JSONError) -> JSONValue {
        values += 1
        guard values <= limits.values else {
            throw JSONError(.tooLarge, at: position, "has more than \(limits.values) values")
        }
        guard position < bytes.count else { throw unexpected("a value") }
        switch bytes[position] {
        case UInt8(ascii: "{"): return .object(try parseObject(depth: depth + 1))
        case UInt8(ascii: "["): return .array(try parseArray(depth: depth + 1))
        case UInt8(ascii: "\""): return .string(try parseString())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try parseNumber())
        case UInt8(ascii: "t"):
            try parseWord("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try parseWord("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try parseWord("null")
            return .null
        default:
            throw unexpected("a value")
        }
    }

    private mutating func parseArray(depth: Int) throws(JSONError) -> [JSONValue] {
        try enter(depth)
        var elements: [JSONValue] = []
        if accept(UInt8(ascii: "]")) { return elements }
        while true {
            elements.append(try parseValue(depth: depth))
            skipSpace()
            if accept(UInt8(ascii: "]")) { return elements }
            guard accept(UInt8(ascii: ",")) else { throw unexpected("',' or ']'") }
        }
    }

    private mutating func parseObject(depth: Int) throws(JSONError) -> JSONObject {
        let start = position
        try enter(depth)
        var members: [JSONObject.Member] = []
        var index: [String: Int]?
        if accept(UInt8(ascii: "}")) {
            return JSONObject(members: members, index: nil, source: bytes, place: place(from: start))
        }
        while true {
            let member = try parseMember(depth: depth, members, &index)
            members.append(member)
            skipSpace()
            if accept(UInt8(ascii: "}")) {
                return JSONObject(members: members, index: index, source: bytes, place: place(from: start))
            }
            guard accept(UInt8(ascii: ",")) else { throw unexpected("',' or '}'") }
        }
    }

    private mutating func parseMember(
        depth: Int,
        _ members: [JSONObject.Member],
        _ index: inout [String: Int]?
    ) throws(JSONError) -> JSONObject.Member {
        let start = position
        guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { throw unexpected("a name") }
        let name = try parseString()
        if members.count == JSONObject.unindexed {
            var names: [String: Int] = [:]
            for (number, member) in members.enumerated() {
                names[member.name] = number
            }
            index = names
        }
        let isKnown = index.map { $0[name] != nil } ?? members.contains { $0.name == name }
        guard !isKnown else {
            throw JSONError(.duplicateName, at: start, "the name \"\(name.prefix(100))\" comes twice in one object")
        }
        index?[name] = members.count
        skipSpace()
        guard accept(UInt8(ascii: ":")) else { throw unexpected("':'") }
        let valueStart = position
        let value = try parseValue(depth: depth)
        return JSONObject.Member(name: name, value: value, place: place(from: valueStart))
    }

    // MARK: - Numbers and words

    private mutating func parseNumber() throws(JSONError) -> String {
        let start = position
        if bytes[position] == UInt8(ascii: "-") { position += 1 }
        if position < bytes.count, bytes[position] == UInt8(ascii: "0") {
            position += 1
        } else {
            try parseDigits()
        }
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            position += 1
            try parseDigits()
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            if position < bytes.count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
                position += 1
            }
            try parseDigits()
        }
        guard position - start <= limits.numberLength else {
            throw JSONError(.tooLarge, at: start, "has a number of more than \(limits.numberLength) characters")
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func parseDigits() throws(JSONError) {
        let start = position
        while position < bytes.count, bytes[position] >= UInt8(ascii: "0"), bytes[position] <= UInt8(ascii: "9") {
            position += 1
        }
        guard position > start else { throw unexpected("a digit") }
    }

    private mutating func parseWord(_ word: StaticString) throws(JSONError) {
        let start = position
        for offset in 0..<word.utf8CodeUnitCount {
            guard position < bytes.count, bytes[position] == word.utf8Start[offset] else {
                position = start
                throw unexpected("a value")
            }
            position += 1
        }
    }

    // MARK: - Small steps

    /// Takes the opening bracket and the white space behind it.
    private mutating func enter(_ depth: Int) throws(JSONError) {
        guard depth <= limits.depth else {
            throw JSONError(.tooDeep, at: position, "is nested more than \(limits.depth) deep")
        }
        position += 1
        skipSpace()
    }

    /// Takes one byte of punctuation and the white space behind it, if it is there.
    ///
    /// The white space behind a closing bracket belongs to whoever asks next, so that places end with the value.
    private mutating func accept(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        if byte == UInt8(ascii: ",") || byte == UInt8(ascii: ":") { skipSpace() }
        return true
    }

    private mutating func skipSpace() {
        while position < bytes.count, Self.isSpace(bytes[position]) {
            position += 1
        }
    }

    private func place(from start: Int) -> JSONObject.Place {
        JSONObject.Place(start: UInt32(start), end: UInt32(position))
    }

    private func unexpected(_ wanted: String) -> JSONError {
        guard position < bytes.count else {
            return JSONError(.syntax, at: position, "expected \(wanted), found the end of the text")
        }
        let byte = bytes[position]
        let found = byte > 0x20 && byte < 0x7F ? "'\(Character(Unicode.Scalar(byte)))'" : "the byte \(byte)"
        return JSONError(.syntax, at: position, "expected \(wanted), found \(found)")
    }
}

// MARK: - Strings

extension JSONParser {
    /// A string; the position is at its opening quote.
    private mutating func parseString() throws(JSONError) -> String {
        position += 1
        let start = position
        var isASCII = true
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                let text = try makeString(bytes[start..<position], isASCII: isASCII, at: start)
                position += 1
                return text
            }
            if byte == UInt8(ascii: "\\") { return try parseEscapedString(from: start) }
            guard byte >= 0x20 else { throw controlCharacter() }
            if byte >= 0x80 { isASCII = false }
            position += 1
        }
        throw JSONError(.syntax, at: start - 1, "a string that begins has no end")
    }

    /// A string with escapes; the position is at the first of them.
    private mutating func parseEscapedString(from start: Int) throws(JSONError) -> String {
        var text = Array(bytes[start..<position])
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                let string = try makeString(text[...], isASCII: false, at: start)
                position += 1
                return string
            }
            if byte == UInt8(ascii: "\\") {
                try parseEscape(into: &text)
                continue
            }
            guard byte >= 0x20 else { throw controlCharacter() }
            text.append(byte)
            position += 1
        }
        throw JSONError(.syntax, at: start - 1, "a string that begins has no end")
    }

    private mutating func parseEscape(into text: inout [UInt8]) throws(JSONError) {
        let start = position
        position += 1
        guard position < bytes.count else { throw unexpected("an escape") }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): append(try parseScalar(from: start), to: &text)
        default: throw JSONError(.syntax, at: start, "a string has an escape that JSON does not know")
        }
    }

    /// The scalar of `\uXXXX`, or of a pair of them; half a pair is U+FFFD.
    ///
    /// The position is behind the `u`.
    private mutating func parseScalar(from start: Int) throws(JSONError) -> UInt32 {
        let first = try parseHex(from: start)
        guard first & 0xF800 == 0xD800 else { return first }
        guard first < 0xDC00, position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
            bytes[position + 1] == UInt8(ascii: "u")
        else { return 0xFFFD }
        let next = position
        position += 2
        let second = try parseHex(from: next)
        guard second & 0xFC00 == 0xDC00 else {
            position = next
            return 0xFFFD
        }
        return 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)
    }

    private mutating func parseHex(from start: Int) throws(JSONError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard position < bytes.count, let digit = Self.hexDigit(bytes[position]) else {
                throw JSONError(.syntax, at: start, "an escape needs four hexadecimal digits")
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }

    private func append(_ scalar: UInt32, to text: inout [UInt8]) {
        switch scalar {
        case 0..<0x80:
            text.append(UInt8(scalar))
        case 0x80..<0x800:
            text.append(UInt8(0xC0 | scalar >> 6))
            text.append(UInt8(0x80 | scalar & 0x3F))
        case 0x800..<0x10000:
            text.append(UInt8(0xE0 | scalar >> 12))
            text.append(UInt8(0x80 | scalar >> 6 & 0x3F))
            text.append(UInt8(0x80 | scalar & 0x3F))
        default:
            text.append(UInt8(0xF0 | scalar >> 18))
            text.append(UInt8(0x80 | scalar >> 12 & 0x3F))
            text.append(UInt8(0x80 | scalar >> 6 & 0x3F))
            text.append(UInt8(0x80 | scalar & 0x3F))
        }
    }

    private func makeString(_ text: ArraySlice<UInt8>, isASCII: Bool, at start: Int) throws(JSONError) -> String {
        if isASCII { return String(decoding: text, as: UTF8.self) }
        guard let string = String(validating: text, as: UTF8.self) else {
            throw JSONError(.syntax, at: start, "a string is not valid UTF-8")
        }
        return string
    }

    private func controlCharacter() -> JSONError {
        JSONError(.syntax, at: position, "a string has a control character that is not escaped")
    }

    /// The value of a hexadecimal digit in either case.
    static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
