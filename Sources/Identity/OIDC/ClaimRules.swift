import Contract
import Kernel

/// Where in a token's claims a value stands: names with dots between them, in quotes where a name has dots itself, as
/// `"kubernetes.io".pod.name`.
struct ClaimPath: Sendable, Equatable {
    let names: [String]

    /// Nil for text that is no path.
    init?(_ text: String) {
        guard text.utf8.count <= 256 else { return nil }
        var names: [String] = []
        var rest = text.unicodeScalars[...]
        while true {
            var name = String.UnicodeScalarView()
            if rest.first == "\"" {
                rest.removeFirst()
                guard let end = rest.firstIndex(of: "\"") else { return nil }
                name.append(contentsOf: rest[..<end])
                rest = rest[rest.index(after: end)...]
                guard rest.isEmpty || rest.first == "." else { return nil }
            } else {
                name.append(contentsOf: rest.prefix { $0 != "." && $0 != "\"" })
                rest = rest.dropFirst(name.count)
                guard rest.first != "\"" else { return nil }
            }
            guard !name.isEmpty else { return nil }
            names.append(String(name))
            guard !rest.isEmpty else { break }
            rest.removeFirst()
        }
        self.names = names
    }

    /// The texts that stand there: one, several in a list, or none.
    func values(in claims: JSONObject) -> [String] {
        var value = JSONValue.object(claims)
        for name in names {
            guard case .object(let object) = value, let next = object[name] else { return [] }
            value = next
        }
        if case .array(let elements) = value { return elements.compactMap(Self.text) }
        return Self.text(value).map { [$0] } ?? []
    }

    private static func text(_ value: JSONValue) -> String? {
        switch value {
        case .string(let text): text
        case .number(let text): text
        case .bool(let flag): flag ? "true" : "false"
        case .null, .array, .object: nil
        }
    }
}

/// A pattern for a claim: `*` is any number of characters, `?` one or none, `.` exactly one (`spec/rest-wider.md` §6).
///
/// Everything else stands for itself, from the beginning to the end. Time is bounded by the product of both lengths.
package struct ClaimPattern: Sendable, Equatable {
    package static let longest = 512
    private static let longestValue = 2048

    let text: String

    package init?(_ text: String) {
        guard (1...Self.longest).contains(text.utf8.count) else { return nil }
        self.text = text
    }

    /// Whether the pattern says anything at all about the value.
    package var isAnchored: Bool {
        text.contains { !"*?.".contains($0) }
    }

    package func matches(_ value: String) -> Bool {
        let pattern = Array(text.unicodeScalars)
        let value = Array(value.unicodeScalars)
        guard value.count <= Self.longestValue else { return false }
        // The places in the pattern that can be reached, going through the value character by character.
        var places = [Bool](repeating: false, count: pattern.count + 1)
        places[0] = true
        Self.skip(&places, pattern)
        for scalar in value {
            var next = [Bool](repeating: false, count: pattern.count + 1)
            var isAlive = false
            for place in pattern.indices where places[place] {
                switch pattern[place] {
                case "*": next[place] = true
                case "?", ".", scalar: next[place + 1] = true
                default: continue
                }
                isAlive = true
            }
            guard isAlive else { return false }
            Self.skip(&next, pattern)
            places = next
        }
        return places[pattern.count]
    }

    /// Goes over what may stand for nothing.
    private static func skip(_ places: inout [Bool], _ pattern: [Unicode.Scalar]) {
        for place in pattern.indices where places[place] && (pattern[place] == "*" || pattern[place] == "?") {
            places[place + 1] = true
        }
    }
}
