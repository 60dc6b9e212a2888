/// Splits a command into words the way a shell does, for programs that are started without one.
package enum ShellWords {
    /// Words are separated by blanks; quotes of both kinds and backslashes keep them together.
    ///
    /// - Returns: nil when a quote does not end.
    package static func split(_ text: String) -> [String]? {
        var words: [String] = []
        var word: String?
        var quote: Character?
        var rest = text[...]
        while let next = rest.popFirst() {
            switch (next, quote) {
            case ("\\", nil):
                word = (word ?? "") + (rest.popFirst().map { String($0) } ?? "")
            case ("\\", "\""):
                // Within double quotes a backslash is one, unless it stands before what it can protect.
                if let protected = rest.first, protected == "\"" || protected == "\\" {
                    word?.append(protected)
                    rest.removeFirst()
                } else {
                    word?.append(next)
                }
            case (_, .some(next)):
                quote = nil
            case ("\"", nil), ("'", nil):
                quote = next
                word = word ?? ""
            case (" ", nil), ("\t", nil):
                if let finished = word { words.append(finished) }
                word = nil
            default:
                word = (word ?? "") + String(next)
            }
        }
        guard quote == nil else { return nil }
        if let word { words.append(word) }
        return words
    }
}
