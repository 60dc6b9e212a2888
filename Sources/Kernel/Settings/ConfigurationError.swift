/// Settings that cannot be used: everything that is wrong with them, not only the first thing.
///
/// The process prints it and ends with code 78 (`EX_CONFIG`).
package struct ConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
    /// One thing that is wrong.
    package struct Problem: Hashable, Sendable, CustomStringConvertible {
        /// The variable as the operator wrote it; for a group, the first of them.
        package let setting: String
        /// What was found and what the setting takes; never the value of a secret.
        package let text: String

        package init(setting: String, text: String) {
            self.setting = setting
            self.text = text
        }

        package var description: String { "\(setting): \(text)" }
    }

    package let problems: [Problem]

    package init(_ problems: [Problem]) {
        self.problems = problems
    }

    /// One problem on each line.
    package var description: String {
        problems.map(\.description).joined(separator: "\n")
    }
}
