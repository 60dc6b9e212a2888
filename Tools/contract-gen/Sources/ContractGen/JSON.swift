/// A JSON value whose objects keep the order of the file: the order of fields is part of what is generated.
package enum JSON: Equatable, Sendable {
    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([JSON])
    case object([(name: String, value: JSON)])

    package static func == (left: JSON, right: JSON) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let one), .bool(let two)): one == two
        case (.number(let one), .number(let two)): one == two
        case (.string(let one), .string(let two)): one == two
        case (.array(let one), .array(let two)): one == two
        case (.object(let one), .object(let two)): one.elementsEqual(two) { $0.name == $1.name && $0.value == $1.value }
        default: false
        }
    }

    package subscript(name: String) -> JSON? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    package var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    package var integer: Int? {
        if case .number(let number) = self { Int(number) } else { nil }
    }

    package var isTrue: Bool {
        self == .bool(true)
    }

    package var elements: [JSON] {
        if case .array(let elements) = self { elements } else { [] }
    }

    package var members: [(name: String, value: JSON)] {
        if case .object(let members) = self { members } else { [] }
    }

    package var strings: [String] {
        elements.compactMap(\.string)
    }
}

/// Reads our own two files; not meant for text from outside.
package struct JSONReader {
    private let bytes: [UInt8]
    private var position = 0

    package static func read(_ text: String) throws(GeneratorError) -> JSON {
        var reader = JSONReader(bytes: Array(text.utf8))
        let value = try reader.value()
        guard reader.next() == nil else { throw reader.broken() }
        return value
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    private func broken() -> GeneratorError {
        GeneratorError("the JSON is broken at byte \(position)")
    }

    /// The next byte that is not white space, which is not taken yet.
    private mutating func next() -> UInt8? {
        while position < bytes.count, bytes[position] <= 0x20 { position += 1 }
        return position < bytes.count ? bytes[position] : nil
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next() == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func value() throws(GeneratorError) -> JSON {
        switch next() {
        case UInt8(ascii: "{"): return .object(try members())
        case UInt8(ascii: "["): return .array(try elements())
        case UInt8(ascii: "\""): return .string(try text())
        default: return try scalar()
        }
    }

    private mutating func scalar() throws(GeneratorError) -> JSON {
        let start = position
        while position < bytes.count, !",]} \n\r\t".utf8.contains(bytes[position]) { position += 1 }
        let word = String(decoding: bytes[start..<position], as: UTF8.self)
        switch word {
        case "null": return .null
        case "true": return .bool(true)
        case "false": return .bool(false)
        default:
            guard Double(word) != nil else { throw broken() }
            return .number(word)
        }
    }

    private mutating func elements() throws(GeneratorError) -> [JSON] {
        position += 1
        var elements: [JSON] = []
        if take("]") { return elements }
        repeat {
            elements.append(try value())
        } while take(",")
        guard take("]") else { throw broken() }
        return elements
    }

    private mutating func members() throws(GeneratorError) -> [(name: String, value: JSON)] {
        position += 1
        var members: [(name: String, value: JSON)] = []
        if take("}") { return members }
        repeat {
            guard next() == UInt8(ascii: "\"") else { throw broken() }
            let name = try text()
            guard take(":") else { throw broken() }
            members.append((name, try value()))
        } while take(",")
        guard take("}") else { throw broken() }
        return members
    }

    private mutating func text() throws(GeneratorError) -> String {
        position += 1
        var text: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard position < bytes.count, "\"\\/".utf8.contains(bytes[position]) else { throw broken() }
                text.append(bytes[position])
                position += 1
            default:
                text.append(byte)
            }
        }
        throw broken()
    }
}
