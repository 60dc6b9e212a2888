package import Kernel

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What a command may use of the process it runs in; tests pass their own.
package struct ProcessEnvironment: Sendable {
    package var variables: [String: String]
    package var effects: Effects
    package var clock: any Clock<Duration>
    package var standardOutput: @Sendable (String) -> Void
    package var standardError: @Sendable (String) -> Void

    package init(
        variables: [String: String],
        effects: Effects,
        clock: any Clock<Duration>,
        standardOutput: @escaping @Sendable (String) -> Void,
        standardError: @escaping @Sendable (String) -> Void
    ) {
        self.variables = variables
        self.effects = effects
        self.clock = clock
        self.standardOutput = standardOutput
        self.standardError = standardError
    }

    package var settings: Settings { Settings(variables) }

    /// The real one.
    package static func live() -> ProcessEnvironment {
        ProcessEnvironment(
            variables: Settings.processEnvironment(),
            effects: .live,
            clock: ContinuousClock(),
            standardOutput: { write($0, to: STDOUT_FILENO) },
            standardError: { write($0, to: STDERR_FILENO) }
        )
    }

    private static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { return }
            rest = rest.dropFirst(written)
        }
    }
}

extension ProcessEnvironment {
    /// Ends the process at once.
    package static func exit(_ code: Int32) -> Never {
        Glibc.exit(code)
    }
}
