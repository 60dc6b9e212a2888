import Kernel

/// One word after `cairn`, with its options as data: `--help` and the tests of the manual read the same list.
package protocol Command: Sendable {
    static var name: String { get }
    /// One line for the list of commands.
    static var summary: String { get }
    /// What `cairn NAME --help` says below the first line.
    static var details: String { get }
    static var options: [CommandOption] { get }
    /// Words that must follow, such as `plan` or `up`; empty when none may.
    static var arguments: [CommandArgument] { get }

    init(_ parsed: ParsedArguments) throws(UsageError)

    /// - Returns: the exit code of the process.
    func run(_ environment: ProcessEnvironment) async -> Int32
}

extension Command {
    package static var details: String { "" }
    package static var options: [CommandOption] { [] }
    package static var arguments: [CommandArgument] { [] }

    /// Says why a command ends; the exit code that goes with it.
    static func refuse(_ error: any Error, _ environment: ProcessEnvironment) -> Int32 {
        if let problems = error as? ConfigurationError {
            environment.standardError("cairn: the settings cannot be used:\n\(problems)\n")
            return ExitCode.configuration
        }
        let known = error as? ServiceError
        // Nobody but the operator reads this.
        let cause = known?.code == .internalError ? known?.cause.map { " \($0)" } : nil
        environment.standardError("cairn: \(known?.message ?? "\(error)")\(cause ?? "")\n")
        return ExitCode.unavailable
    }
}

/// An option such as `--json` or `--output FILE`.
package struct CommandOption: Sendable {
    package let name: String
    /// What `--help` calls the value; nil for a switch.
    package let value: String?
    package let summary: String

    package init(_ name: String, value: String? = nil, _ summary: String) {
        self.name = name
        self.value = value
        self.summary = summary
    }
}

/// A word from a list that follows the command.
package struct CommandArgument: Sendable {
    package let name: String
    package let choices: [String]

    package init(_ name: String, oneOf choices: [String]) {
        self.name = name
        self.choices = choices
    }
}

/// A command line that does not fit; the process ends with code 64 (`EX_USAGE`).
package struct UsageError: Error, Sendable, Equatable {
    package let message: String

    package init(_ message: String) {
        self.message = message
    }
}

/// Exit codes of `sysexits.h` that operators' tools know.
package enum ExitCode {
    package static let success: Int32 = 0
    package static let failure: Int32 = 1
    package static let usage: Int32 = 64
    package static let unavailable: Int32 = 69
    package static let configuration: Int32 = 78
}
