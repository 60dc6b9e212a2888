import Kernel
import Server
import TestKit

/// A terminal and variables for one run of a command.
final class Console: Sendable {
    private let written = Locked((output: "", error: ""))

    var output: String { written.withLock { $0.output } }
    var error: String { written.withLock { $0.error } }

    /// Runs the program and gives its exit code.
    func run(_ arguments: [String], variables: [String: String] = [:]) async -> Int32 {
        await Program.run(
            arguments,
            in: ProcessEnvironment(
                variables: variables,
                effects: ManualClock().effects,
                clock: ContinuousClock(),
                standardOutput: { text in self.written.withLock { $0.output += text } },
                standardError: { text in self.written.withLock { $0.error += text } }
            )
        )
    }
}
