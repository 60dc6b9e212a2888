/// The parameters of a bucket's URL: each is read by its name, and what nobody read is a problem.
struct ParameterReader {
    private var values: [(name: String, value: String)] = []
    private var read: Set<String> = []
    private var problems: [String] = []

    init(_ query: Substring) {
        for item in query.split(separator: "&") {
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decode(parts[0]), let value = Self.decode(parts.count > 1 ? parts[1] : "") else {
                problems.append("'\(item)' is not percent-encoded text")
                continue
            }
            if values.contains(where: { $0.name == name }) { problems.append("'\(name)' is there twice") }
            values.append((name, value))
        }
    }

    /// The text; nil when it is missing or empty.
    mutating func text(_ name: String) -> String? {
        read.insert(name)
        return values.first { $0.name == name }.flatMap { $0.value.isEmpty ? nil : $0.value }
    }

    /// Whether one of several spellings is true.
    mutating func flag(_ names: String...) -> Bool {
        var isSet = false
        for name in names {
            guard let text = text(name) else { continue }
            switch text.lowercased() {
            case "true", "1", "t": isSet = true
            case "false", "0", "f": break
            default: problems.append("'\(name)' takes true or false, not '\(text)'")
            }
        }
        return isSet
    }

    mutating func choice<Word: RawRepresentable>(_ name: String, _ words: [Word]) -> Word?
    where Word.RawValue == String {
        guard let text = text(name) else { return nil }
        if let word = words.first(where: { $0.rawValue == text }) { return word }
        problems.append("'\(name)' takes \(words.map(\.rawValue).joined(separator: " or ")), not '\(text)'")
        return nil
    }

    /// Accepts parameters that mean nothing here.
    mutating func ignore(_ names: String...) {
        read.formUnion(names)
    }

    mutating func report(_ problem: String) {
        problems.append(problem)
    }

    /// Every problem, unknown names included.
    func finish() -> [String] {
        problems + values.filter { !read.contains($0.name) }.map { "the parameter '\($0.name)' is unknown" }
    }

    private static func decode(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "%"):
                let digits = rest.prefix(2)
                guard digits.count == 2, let value = UInt8(Substring(digits), radix: 16) else { return nil }
                bytes.append(value)
                rest = rest.dropFirst(2)
            case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
