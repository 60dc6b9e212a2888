/// `cairn version`.
package struct VersionCommand: Command {
    package static let name = "version"
    package static let summary = "Shows the version"

    package init(_ parsed: ParsedArguments) {}

    package func run(_ environment: ProcessEnvironment) async -> Int32 {
        environment.standardOutput("cairn \(Version.current)\n")
        return ExitCode.success
    }
}
