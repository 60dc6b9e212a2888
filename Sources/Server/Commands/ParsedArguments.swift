import Kernel

/// The options and words behind a command, checked against what the command declares.
package struct ParsedArguments: Sendable, Equatable {
    package private(set) var options: [String: String] = [:]
    package private(set) var switches: Set<String> = []
    package private(set) var words: [String] = []

    /// - Parameters:
    ///   - arguments: what follows the command's name.
    ///   - command: whose options and words are taken.
    /// - Throws: naming the first thing that does not fit, with the nearest known option.
    package init<C: Command>(_ arguments: ArraySlice<String>, for command: C.Type) throws(UsageError) {
        var rest = arguments
        while let argument = rest.popFirst() {
            if argument.hasPrefix("-"), argument != "-" {
                try take(option: argument, rest: &rest, command)
            } else {
                try take(word: argument, command)
            }
        }
        guard words.count == C.arguments.count else {
            let next = C.arguments[words.count]
            throw UsageError(
                "cairn \(C.name) needs \(next.name): one of \(next.choices.joined(separator: ", "))"
            )
        }
    }

    private mutating func take<C: Command>(
        option argument: String,
        rest: inout ArraySlice<String>,
        _ command: C.Type
    ) throws(UsageError) {
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        guard let option = C.options.first(where: { $0.name == name }) else {
            let known = C.options.map(\.name) + ["--help"]
            let hint = Spelling.nearest(to: name, among: known).map { "; did you mean \($0)?" } ?? ""
            throw UsageError("cairn \(C.name) has no option \(name)\(hint)")
        }
        guard option.value != nil else {
            guard parts.count == 1 else { throw UsageError("\(name) takes no value") }
            switches.insert(name)
            return
        }
        guard let value = parts.count == 2 ? String(parts[1]) : rest.popFirst() else {
            throw UsageError("\(name) needs a value")
        }
        guard options.updateValue(value, forKey: name) == nil else { throw UsageError("\(name) is given twice") }
    }

    private mutating func take<C: Command>(word: String, _ command: C.Type) throws(UsageError) {
        guard words.count < C.arguments.count else {
            throw UsageError("cairn \(C.name) does not take '\(word)'")
        }
        let argument = C.arguments[words.count]
        guard argument.choices.contains(word) else {
            throw UsageError(
                "'\(word)' is no \(argument.name): cairn \(C.name) takes \(argument.choices.joined(separator: ", "))"
            )
        }
        words.append(word)
    }
}
