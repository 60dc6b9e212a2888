import Kernel

/// How entries become lines.
///
/// Whatever they hold, an entry is one line of printable text.
package enum LogFormat: String, Sendable, CaseIterable {
    /// `2026-11-25T13:10:18.000250Z info    request answered status=200 path="/a b"`, for people.
    case text
    /// One JSON object, for programs.
    case json

    /// The longest text that is written of one value or message, in UTF-8 bytes.
    package static let longestValue = 4096

    /// The entry as a line, with its end.
    package func line(_ entry: LogEntry) -> [UInt8] {
        var line = LineBuffer()
        switch self {
        case .text: line.addText(entry)
        case .json: line.addJSON(entry)
        }
        line.add("\n")
        return line.bytes
    }
}

/// A line while it is written.
private struct LineBuffer {
    var bytes: [UInt8] = []

    init() {
        bytes.reserveCapacity(320)
    }

    mutating func add(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func addJSON(_ entry: LogEntry) {
        add("{\"time\":\"")
        entry.time.appendRFC3339(to: &bytes)
        add("\",\"level\":\"")
        bytes.append(contentsOf: entry.level.description.utf8)
        add("\",\"message\":")
        addQuoted(entry.message)
        for field in entry.fields {
            add(",")
            addQuoted(Self.safeName(field.name))
            add(":")
            addValue(field.value, isBareAllowed: false)
        }
        add("}")
    }

    mutating func addText(_ entry: LogEntry) {
        entry.time.appendRFC3339(to: &bytes)
        add(" ")
        let level = entry.level.description
        bytes.append(contentsOf: level.utf8)
        for _ in level.utf8.count..<8 { add(" ") }
        addEscaped(entry.message, quotes: false)
        for field in entry.fields {
            add(" ")
            addEscaped(field.name, quotes: false)
            add("=")
            addValue(field.value, isBareAllowed: true)
        }
    }

    /// A field must not hide what every line has.
    private static func safeName(_ name: String) -> String {
        name == "time" || name == "level" || name == "message" ? "\(name)_" : name
    }

    private mutating func addValue(_ value: LogValue, isBareAllowed: Bool) {
        switch value {
        case .text(let text):
            let mayBeBare = isBareAllowed && (1...128).contains(text.utf8.count)
            if !mayBeBare || !append(text, where: Self.isBare) { addQuoted(text) }
        case .integer(let number): bytes.append(contentsOf: String(number).utf8)
        case .number(let number) where number.isFinite: bytes.append(contentsOf: String(number).utf8)
        case .number(let number): addQuoted(String(number))
        case .flag(let flag): add(flag ? "true" : "false")
        }
    }

    private mutating func addQuoted(_ text: String) {
        add("\"")
        addEscaped(text, quotes: true)
        add("\"")
    }

    /// Adds the text with everything escaped that ends a line, steers a terminal or turns the order of letters.
    ///
    /// The escapes are JSON's, in both formats.
    private mutating func addEscaped(_ text: String, quotes: Bool) {
        let count = text.utf8.count
        let cut = count > LogFormat.longestValue
        let kept = cut ? String(Self.prefix(of: text)) : text
        if !append(kept, where: { Self.isPlain($0, quotes: quotes) }) {
            for scalar in kept.unicodeScalars { add(scalar, quotes: quotes) }
        }
        if cut { bytes.append(contentsOf: "... (cut, \(count) bytes)".utf8) }
    }

    /// Appends the text if each of its bytes is as wanted; false, with nothing appended, when one is not.
    private mutating func append(_ text: String, where isWanted: (UInt8) -> Bool) -> Bool {
        let span = text.utf8.span
        for index in span.indices {
            guard isWanted(span[index]) else { return false }
        }
        span.withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
        return true
    }

    private mutating func add(_ scalar: Unicode.Scalar, quotes: Bool) {
        switch scalar {
        case "\"" where quotes: add("\\\"")
        case "\\" where quotes: add("\\\\")
        case "\n": add("\\n")
        case "\r": add("\\r")
        case "\t": add("\\t")
        default:
            if Self.isHarmless(scalar) {
                bytes.append(contentsOf: Unicode.UTF8.encode(scalar) ?? Unicode.UTF8.encodedReplacementCharacter)
            } else {
                for unit in Unicode.UTF16.encode(scalar) ?? Unicode.UTF16.encodedReplacementCharacter {
                    let digits = String(unit, radix: 16)
                    add("\\u")
                    for _ in digits.utf8.count..<4 { add("0") }
                    bytes.append(contentsOf: digits.utf8)
                }
            }
        }
    }

    /// What is shown as it is: no controls, no invisible marks, no turns of direction, no separators of lines.
    private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x20..<0x7F: true
        case 0..<0xA0, 0xAD, 0x61C, 0x180E, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFE00...0xFE0F, 0xFEFF,
            0xFFF9...0xFFFB, 0xE0000...0xE0FFF:
            false
        default: true
        }
    }

    private static func isPlain(_ byte: UInt8, quotes: Bool) -> Bool {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): !quotes
        case 0x20..<0x7F: true
        default: false
        }
    }

    /// Whether a text of such bytes can stand without quotes: it then cannot look like two fields.
    private static func isBare(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "/"),
            UInt8(ascii: ":"), UInt8(ascii: "@"), UInt8(ascii: "+"):
            true
        default: false
        }
    }

    /// The longest beginning that may be written, ending between two scalars.
    private static func prefix(of text: String) -> Substring {
        var end = text.utf8.index(text.startIndex, offsetBy: LogFormat.longestValue)
        while end > text.startIndex, UTF8.isContinuation(text.utf8[end]) { end = text.utf8.index(before: end) }
        return text[..<end]
    }
}
