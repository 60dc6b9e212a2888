/// Swift names from the names on the wire.
package enum Names {
    private static let keywords: Set<String> = [
        "as", "associatedtype", "break", "case", "catch", "class", "continue", "default", "defer", "deinit", "do",
        "else", "enum", "extension", "fallthrough", "false", "fileprivate", "for", "func", "guard", "if", "import",
        "in", "init", "inout", "internal", "is", "let", "nil", "operator", "package", "precedencegroup", "private",
        "protocol", "public", "repeat", "rethrows", "return", "self", "Self", "static", "struct", "subscript", "super",
        "switch", "throw", "throws", "true", "try", "typealias", "var", "where", "while",
    ]

    /// `GitHubLogin` → `gitHubLogin`, `secrets_providers` → `secretsProviders`, `DNSNames` → `dnsNames`.
    package static func lowerCamel(_ wire: String) -> String {
        let words = split(wire)
        guard let first = words.first else { return "empty" }
        var name = lowerStart(first)
        for word in words.dropFirst() {
            name += word.prefix(1).uppercased() + word.dropFirst()
        }
        return name.first?.isNumber == true ? "_\(name)" : name
    }

    /// `renameStack` → `RenameStack`, `ai_agents` → `AiAgents`.
    package static func upperCamel(_ wire: String) -> String {
        var name = ""
        for word in split(wire) {
            name += word.prefix(1).uppercased() + word.dropFirst()
        }
        return name
    }

    /// The name of a property.
    ///
    /// `self` means something else inside a type; on the wire it is always a link.
    package static func property(_ wire: String) -> String {
        let name = lowerCamel(wire)
        return name == "self" ? "selfLink" : name
    }

    /// The name of an enumeration's case.
    ///
    /// `none` would be taken for the case of `Optional`.
    package static func enumerationCase(_ wire: String) -> String {
        let name = lowerCamel(wire)
        return name == "none" ? "nothing" : name
    }

    /// The name where a keyword cannot stand.
    package static func escaped(_ name: String) -> String {
        keywords.contains(name) ? "`\(name)`" : name
    }

    private static func split(_ wire: String) -> [String] {
        wire.split { !$0.isLetter && !$0.isNumber }.map(String.init)
    }

    /// Lowers the capitals at the start, apart from the one that begins the next word.
    private static func lowerStart(_ word: String) -> String {
        let capitals = word.prefix { $0.isUppercase }.count
        let rest = word.dropFirst(capitals)
        if capitals <= 1 || rest.isEmpty || rest == "s" {
            return word.prefix(capitals).lowercased() + rest
        }
        let first = word.prefix(capitals - 1).lowercased()
        return first + word.dropFirst(capitals - 1)
    }
}
