import NoiseTestKit

/// JSON as a tree, the way the product never holds it: the plain counterpart that results are compared with.
///
/// Numbers keep their text and strings their UTF-16 code units, so that nothing is equal that differs.
indirect enum Tree: Equatable {
    case null
    case bool(Bool)
    case number(String)
    case string([UInt16])
    case array([Tree])
    case object([String: Tree])

    init(_ text: String) {
        self = .string(Array(text.utf16))
    }

    var text: String? {
        if case .string(let units) = self { String(decoding: units, as: UTF16.self) } else { nil }
    }

    var list: [Tree] {
        if case .array(let items) = self { items } else { [] }
    }

    var isEmpty: Bool {
        switch self {
        case .array(let items): items.isEmpty
        case .object(let members): members.isEmpty
        case .null: true
        default: false
        }
    }

    /// A member of an object; assigning nil removes it, assigning to anything else makes it an object.
    subscript(key: String) -> Tree? {
        get {
            guard case .object(let members) = self, let value = members[key], value != .null else { return nil }
            return value
        }
        set {
            var members: [String: Tree] = if case .object(let current) = self { current } else { [:] }
            members[key] = newValue
            self = .object(members)
        }
    }

    var members: [String: Tree] {
        if case .object(let members) = self { members } else { [:] }
    }

    var int: Int? {
        if case .number(let text) = self { Int(text) } else { nil }
    }
}

// MARK: - Reading

extension Tree {
    struct Malformed: Error {}

    init(parsing bytes: some Collection<UInt8>) throws {
        var parser = Parser(bytes: Array(bytes))
        self = try parser.value()
        parser.space()
        guard parser.index == parser.bytes.count else { throw Malformed() }
    }

    init(parsing text: String) throws {
        try self.init(parsing: Array(text.utf8))
    }

    private struct Parser {
        let bytes: [UInt8]
        var index = 0

        mutating func space() {
            while index < bytes.count, Self.isSpace(bytes[index]) { index += 1 }
        }

        private static func isSpace(_ byte: UInt8) -> Bool {
            byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09
        }

        /// What stands behind a number or a word.
        private static func isEnd(_ byte: UInt8) -> Bool {
            isSpace(byte) || byte == UInt8(ascii: ",") || byte == UInt8(ascii: "]") || byte == UInt8(ascii: "}")
        }

        mutating func skip(_ character: Unicode.Scalar) -> Bool {
            space()
            guard index < bytes.count, bytes[index] == UInt8(ascii: character) else { return false }
            index += 1
            return true
        }

        mutating func value() throws -> Tree {
            if skip("{") { return try object() }
            if skip("[") { return try array() }
            if skip("\"") { return .string(try string()) }
            let start = index
            while index < bytes.count, !Self.isEnd(bytes[index]) { index += 1 }
            let word = String(decoding: bytes[start..<index], as: UTF8.self)
            switch word {
            case "": throw Malformed()
            case "null": return .null
            case "true": return .bool(true)
            case "false": return .bool(false)
            default: return .number(word)
            }
        }

        mutating func object() throws -> Tree {
            var members: [String: Tree] = [:]
            if skip("}") { return .object(members) }
            repeat {
                guard skip("\"") else { throw Malformed() }
                let key = String(decoding: try string(), as: UTF16.self)
                guard skip(":") else { throw Malformed() }
                members[key] = try value()
            } while skip(",")
            guard skip("}") else { throw Malformed() }
            return .object(members)
        }

        mutating func array() throws -> Tree {
            var items: [Tree] = []
            if skip("]") { return .array(items) }
            repeat { items.append(try value()) } while skip(",")
            guard skip("]") else { throw Malformed() }
            return .array(items)
        }

        mutating func string() throws -> [UInt16] {
            var units: [UInt16] = []
            var plain: [UInt8] = []
            func flush() {
                units += Array(String(decoding: plain, as: UTF8.self).utf16)
                plain = []
            }
            while index < bytes.count {
                let byte = bytes[index]
                index += 1
                if byte == UInt8(ascii: "\"") {
                    flush()
                    return units
                }
                guard byte == UInt8(ascii: "\\") else {
                    plain.append(byte)
                    continue
                }
                flush()
                guard index < bytes.count else { throw Malformed() }
                let kind = bytes[index]
                index += 1
                if kind == UInt8(ascii: "u") {
                    guard index + 4 <= bytes.count,
                        let unit = UInt16(String(decoding: bytes[index..<(index + 4)], as: UTF8.self), radix: 16)
                    else { throw Malformed() }
                    units.append(unit)
                    index += 4
                } else {
                    let named: [UInt8: UInt16] = [0x62: 8, 0x66: 12, 0x6e: 10, 0x72: 13, 0x74: 9]
                    units.append(named[kind] ?? UInt16(kind))
                }
            }
            throw Malformed()
        }
    }
}

// MARK: - Writing

extension Tree {
    /// Text that is the same for equal trees: keys sorted, no white space.
    var canonical: String {
        var style = Style()
        return style.write(self)
    }

    /// How to write a tree: plainly, or with white space, escapes and orders of keys that only a random pen makes.
    struct Style {
        var noise: Noise?

        mutating func write(_ tree: Tree) -> String {
            switch tree {
            case .null: return "null"
            case .bool(let value): return value ? "true" : "false"
            case .number(let text): return text
            case .string(let units): return string(units)
            case .array(let items):
                return "[" + space() + items.map { write($0) + space() }.joined(separator: "," + space()) + "]"
            case .object(let members):
                var keys = members.keys.sorted()
                if var random = noise {
                    keys.shuffle(using: &random)
                    noise = random
                }
                let parts = keys.map { key in
                    string(Array(key.utf16)) + space() + ":" + space() + write(members[key] ?? .null) + space()
                }
                return "{" + space() + parts.joined(separator: "," + space()) + "}"
            }
        }

        private mutating func space() -> String {
            guard noise?.oneIn(12) == true else { return "" }
            return noise?.pick([" ", "\n", "\t ", "\r\n"]) ?? ""
        }

        private mutating func string(_ units: [UInt16]) -> String {
            var result: [UInt16] = [0x22]
            result.reserveCapacity(units.count + 2)
            // No `for`: tests are not optimized, and the iterator costs a fifth of what all tests of the module do.
            var index = 0
            while index < units.count {
                let unit = units[index]
                if unit == 0x22 || unit == 0x5c {
                    result.append(0x5c)
                    result.append(unit)
                } else if unit < 0x20 || (UTF16.isSurrogate(unit) && (noise != nil || !Self.isPaired(index, in: units)))
                    || noise?.oneIn(150) == true
                {
                    let digits = String(unit, radix: 16)
                    result += Array(("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).utf16)
                } else {
                    result.append(unit)
                }
                index += 1
            }
            result.append(0x22)
            return String(decoding: result, as: UTF16.self)
        }

        /// Whether a surrogate has the other half beside it.
        private static func isPaired(_ index: Int, in units: [UInt16]) -> Bool {
            if UTF16.isLeadSurrogate(units[index]) {
                index + 1 < units.count && UTF16.isTrailSurrogate(units[index + 1])
            } else {
                index > 0 && UTF16.isLeadSurrogate(units[index - 1])
            }
        }
    }
}
