/// The profiles of AWS's shared files: a section for each, `name = value` lines in it.
///
/// What both files say is taken from the one with the keys, as the vendor's tools do. Lines that are indented belong to
/// the setting before them, none of which is needed here.
struct AWSProfiles: Sendable {
    private var profiles: [String: [String: String]] = [:]

    /// - Parameters:
    ///   - config: its sections are `[default]` and `[profile NAME]`; others are about other things.
    ///   - credentials: its sections are `[NAME]`.
    init(config: String, credentials: String) {
        add(config) { title in
            if title == "default" { return title }
            let words = title.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
            return words.count == 2 && words[0] == "profile" ? Self.trimmed(words[1]) : nil
        }
        add(credentials) { $0 }
    }

    subscript(name: String) -> [String: String]? { profiles[name] }

    private mutating func add(_ text: String, name: (String) -> String?) {
        var current: String?
        for line in text.split(whereSeparator: \.isNewline) {
            guard let first = line.first, first != "#", first != ";" else { continue }
            if first == "[" {
                let title = Self.trimmed(line.dropFirst().prefix { $0 != "]" })
                current = name(title)
                if let current { profiles[current, default: [:]].merge([:]) { $1 } }
            } else if let current, first != " ", first != "\t", let equals = line.firstIndex(of: "=") {
                let value = Self.withoutComment(line[equals...].dropFirst())
                profiles[current]?[Self.trimmed(line[..<equals]).lowercased()] = value
            }
        }
    }

    /// A comment behind a value has a blank before its sign.
    private static func withoutComment(_ text: Substring) -> String {
        var previous: Character = "="
        for index in text.indices {
            if text[index] == "#" || text[index] == ";", previous == " " || previous == "\t" {
                return trimmed(text[..<index])
            }
            previous = text[index]
        }
        return trimmed(text)
    }

    private static func trimmed(_ text: Substring) -> String {
        let start = text.drop { $0 == " " || $0 == "\t" }
        let end = start.lastIndex { $0 != " " && $0 != "\t" }
        return end.map { String(start[...$0]) } ?? ""
    }
}
