/// What the operator set: a value over one dictionary of names and texts.
///
/// Each setting is read by its full literal name, once, in the configuration struct of the module that uses it. A text
/// that does not fit is recorded as a problem, and the answer is nil or the default, so that one start shows everything
/// that is wrong:
///
/// ```swift
/// let settings = settings.section()
/// let port = settings.integer("PORT", in: 1...65_535, default: 8080)
/// try settings.check()
/// ```
///
/// Empty means unset, because installers pass empty texts for what was left blank; one pair of matching quotes around
/// a value is stripped, because some loaders of environment files keep them (`spec/self-hosting.md` §1.1).
package struct Settings: Sendable {
    private let values: [String: String]
    /// What was read, by every section made of the same values.
    private let ledger: Ledger
    private let own: Section

    package init(_ environment: [String: String]) {
        values = environment.compactMapValues { text in
            let value = Self.unquoted(text)
            return value.isEmpty ? nil : value
        }
        ledger = Ledger()
        own = Section()
    }

    private init(values: [String: String], ledger: Ledger) {
        self.values = values
        self.ledger = ledger
        own = Section()
    }

    /// The same values with a list of problems of its own: what one configuration struct works with.
    package func section() -> Settings {
        Settings(values: values, ledger: ledger)
    }

    /// Throws everything that was recorded in this section.
    package func check() throws(ConfigurationError) {
        let problems = own.state.withLock { $0.problems }
        if !problems.isEmpty { throw ConfigurationError(problems) }
    }

    /// Makes one configuration struct and keeps its problems here instead of throwing, so that the next one is made, too.
    ///
    /// - Returns: nil when there were problems; `check()` then throws them.
    package func build<Value>(_ make: (Settings) throws(ConfigurationError) -> Value) -> Value? {
        do {
            return try make(self)
        } catch {
            own.state.withLock { $0.problems += error.problems }
            return nil
        }
    }

    /// Records a problem that only the caller can see, such as a certificate that does not fit its key.
    ///
    /// - Parameter text: shown to the operator; must not hold a secret.
    package func report(_ name: String, _ text: String) {
        own.state.withLock { state in
            let problem = ConfigurationError.Problem(setting: name, text: text)
            if !state.problems.contains(problem) { state.problems.append(problem) }
        }
    }

    /// Records something the operator should know and that does not stop the start.
    package func warn(_ name: String, _ text: String) {
        ledger.state.withLock { $0.warnings.append("\(name): \(text)") }
    }

    /// What `warn` recorded, in every section; for the log, once it runs.
    package var warnings: [String] { ledger.state.withLock { $0.warnings } }

    /// Every name that was read so far, in every section, and what came of it; sorted by name.
    package var effective: [EffectiveSetting] {
        ledger.state.withLock { state in state.read.values.sorted { $0.name < $1.name } }
    }

    /// Whether the variable, or an older name of it, has a value.
    package func isSet(_ name: String) -> Bool { raw(name) != nil }
}

// MARK: - Groups and older names

extension Settings {
    /// Lets `old` be read wherever `name` is read afterwards in this section.
    ///
    /// Both set to different values is a problem.
    package func alias(_ old: String, of name: String) {
        own.state.withLock { $0.aliases[name, default: []].append(old) }
        ledger.state.withLock { _ = $0.known.insert(old) }
        if let older = values[old], let newer = values[name], older != newer {
            report(name, "\(old) is the older name of this setting and has a different value; set only \(name)")
        }
    }

    /// Refuses settings of which only some are set, because they work together or not at all.
    package func allOf(_ names: String...) {
        let missing = names.filter { !isSet($0) }
        guard !missing.isEmpty, let present = names.first(where: isSet) else { return }
        report(present, "needs \(missing.joined(separator: " and ")) as well; set all of them or none")
    }

    /// Refuses settings that exclude each other.
    package func atMostOne(of names: [String]) {
        let present = names.filter(isSet)
        guard present.count > 1 else { return }
        report(present[0], "cannot be set together with \(present.dropFirst().joined(separator: " and "))")
    }

    /// Reports every variable with one of our own prefixes that nobody has read: a misspelling.
    ///
    /// Called once everything that reads settings has run.
    package func reportUnknown(prefix: String = "CAIRN_") {
        let known = ledger.state.withLock { $0.known }
        for name in values.keys.sorted() where name.hasPrefix(prefix) && !known.contains(name) {
            let hint = Spelling.nearest(to: name, among: known).map { "; did you mean \($0)?" } ?? ""
            report(name, "is not a setting\(hint)")
        }
    }
}

// MARK: - The one way to read

extension Settings {
    /// Reads one variable and remembers that and what came of it.
    ///
    /// - Parameters:
    ///   - takes: what the setting takes, after the word "takes" in a problem.
    ///   - fallback: the default as the operator would write it.
    ///   - shown: what may be shown of a text; nil shows nothing.
    func read<Value>(
        _ name: String,
        takes: String,
        fallback: String? = nil,
        shown: (String) -> String? = { $0 },
        parse: (String) -> Value?
    ) -> Value? {
        let found = raw(name)
        ledger.note(
            EffectiveSetting(
                name: name,
                value: found.map { shown($0.text) ?? "[redacted]" } ?? fallback,
                source: found.map { .set(as: $0.name) } ?? (fallback == nil ? .unset : .default)
            )
        )
        guard let found else { return nil }
        if let value = parse(found.text) { return value }
        let what = shown(found.text).map { "found \(quoted($0))" } ?? "the value is not shown"
        report(found.name, "\(what); takes \(takes)")
        return nil
    }

    /// The value under the name or the first of its older names that is set.
    private func raw(_ name: String) -> (name: String, text: String)? {
        let names = [name] + own.state.withLock { $0.aliases[name] ?? [] }
        for name in names {
            if let text = values[name] { return (name, text) }
        }
        return nil
    }

    private static func unquoted(_ text: String) -> String {
        guard text.utf8.count >= 2, let first = text.first, first == "'" || first == "\"", text.last == first else {
            return text
        }
        return String(text.dropFirst().dropLast())
    }
}

/// What one section knows: its problems and its older names.
private final class Section: Sendable {
    struct State {
        var problems: [ConfigurationError.Problem] = []
        var aliases: [String: [String]] = [:]
    }

    let state = Locked(State())
}

/// What all sections share: which names were read.
private final class Ledger: Sendable {
    struct State {
        var known: Set<String> = []
        var read: [String: EffectiveSetting] = [:]
        var warnings: [String] = []
    }

    let state = Locked(State())

    func note(_ setting: EffectiveSetting) {
        state.withLock { state in
            state.known.insert(setting.name)
            state.read[setting.name] = setting
        }
    }
}
