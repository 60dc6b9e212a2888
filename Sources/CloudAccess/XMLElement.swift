/// An element of the XML that object stores and clouds answer with.
///
/// Names are without their prefix, attributes and comments are left out. Document types are refused, and with them every
/// entity that is not built in, so that a text cannot grow beyond what was received.
package struct XMLElement: Sendable, Equatable {
    package let name: String
    /// The text directly in it.
    package internal(set) var text: String
    package internal(set) var children: [XMLElement]

    /// The first child of that name.
    package subscript(name: String) -> XMLElement? {
        children.first { $0.name == name }
    }

    package func all(_ name: String) -> [XMLElement] {
        children.filter { $0.name == name }
    }

    /// Reads a document; nil for what is not well-formed, has a document type, or is nested deeper than 32.
    package static func parse(_ bytes: [UInt8]) -> XMLElement? {
        var parser = XMLParser(bytes: bytes)
        return parser.document()
    }
}

private struct XMLParser {
    private static let deepest = 32

    private let bytes: [UInt8]
    private var index = 0

    init(bytes: [UInt8]) {
        self.bytes = bytes
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { index = 3 }
    }

    mutating func document() -> XMLElement? {
        guard skipMisc(), let root = element(depth: 0), skipMisc(), index == bytes.count else { return nil }
        return root
    }

    /// White space, comments and the declaration; false for anything that is cut off.
    private mutating func skipMisc() -> Bool {
        while true {
            while index < bytes.count, isSpace(bytes[index]) { index += 1 }
            if follows("<?") {
                guard skip(past: "?>") else { return false }
            } else if follows("<!--") {
                guard skip(past: "-->") else { return false }
            } else {
                return true
            }
        }
    }

    private mutating func element(depth: Int) -> XMLElement? {
        guard depth < Self.deepest, take("<"), let name = name(), let isEmpty = attributes() else { return nil }
        var element = XMLElement(name: local(name), text: "", children: [])
        if isEmpty { return element }
        var text: [UInt8] = []
        while index < bytes.count {
            if follows("</") {
                index += 2
                guard self.name() == name else { return nil }
                skipSpace()
                element.text = String(decoding: text, as: UTF8.self)
                return take(">") ? element : nil
            } else if follows("<![CDATA[") {
                index += 9
                let start = index
                guard skip(past: "]]>") else { return nil }
                text += bytes[start..<(index - 3)]
            } else if follows("<!--") || follows("<?") {
                guard skipMisc() else { return nil }
            } else if bytes[index] == UInt8(ascii: "<") {
                guard let child = self.element(depth: depth + 1) else { return nil }
                element.children.append(child)
            } else if bytes[index] == UInt8(ascii: "&") {
                guard let character = reference() else { return nil }
                text += Array(String(character).utf8)
            } else {
                text.append(bytes[index])
                index += 1
            }
        }
        return nil
    }

    private mutating func name() -> ArraySlice<UInt8>? {
        let start = index
        while index < bytes.count, !isSpace(bytes[index]), !"<>/=&\"'".utf8.contains(bytes[index]) { index += 1 }
        return index > start ? bytes[start..<index] : nil
    }

    private func local(_ name: ArraySlice<UInt8>) -> String {
        let start = name.lastIndex(of: UInt8(ascii: ":")).map { $0 + 1 } ?? name.startIndex
        return String(decoding: name[start...], as: UTF8.self)
    }

    /// Skips to the tag's end; answers whether the element ends with it.
    private mutating func attributes() -> Bool? {
        while true {
            skipSpace()
            if take(">") { return false }
            if follows("/>") {
                index += 2
                return true
            }
            guard name() != nil else { return nil }
            skipSpace()
            guard take("=") else { return nil }
            skipSpace()
            guard index < bytes.count, "\"'".utf8.contains(bytes[index]),
                let end = bytes[(index + 1)...].firstIndex(of: bytes[index])
            else { return nil }
            index = end + 1
        }
    }

    private mutating func reference() -> Unicode.Scalar? {
        guard let end = bytes[index...].prefix(12).firstIndex(of: UInt8(ascii: ";")) else { return nil }
        let word = String(decoding: bytes[(index + 1)..<end], as: UTF8.self)
        index = end + 1
        switch word {
        case "amp": return "&"
        case "lt": return "<"
        case "gt": return ">"
        case "quot": return "\""
        case "apos": return "'"
        default:
            let isHex = word.hasPrefix("#x")
            guard word.hasPrefix("#") else { return nil }
            return UInt32(word.dropFirst(isHex ? 2 : 1), radix: isHex ? 16 : 10).flatMap { Unicode.Scalar($0) }
        }
    }

    private func follows(_ text: StaticString) -> Bool {
        let end = index + text.utf8CodeUnitCount
        return end <= bytes.count && bytes[index..<end].elementsEqual("\(text)".utf8)
    }

    private mutating func take(_ text: StaticString) -> Bool {
        guard follows(text) else { return false }
        index += text.utf8CodeUnitCount
        return true
    }

    private mutating func skip(past text: StaticString) -> Bool {
        while index < bytes.count {
            if take(text) { return true }
            index += 1
        }
        return false
    }

    private mutating func skipSpace() {
        while index < bytes.count, isSpace(bytes[index]) { index += 1 }
    }

    private func isSpace(_ byte: UInt8) -> Bool {
        byte == 32 || (9...13).contains(byte)
    }
}
