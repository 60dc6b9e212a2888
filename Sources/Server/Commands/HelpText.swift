/// What `--help` shows, made from the commands' own data.
enum HelpText {
    static func program(_ commands: [any Command.Type]) -> String {
        let width = commands.map { $0.name.utf8.count }.max() ?? 0
        let lines = commands.map { "  \(padded($0.name, width))  \($0.summary)" }
        return """
            cairn \(Version.current): a self-hosted server that speaks the Pulumi Cloud API

            Usage: cairn [COMMAND] [OPTIONS]

            Commands:
            \(lines.joined(separator: "\n"))

            Without a command, cairn serves. 'cairn COMMAND --help' tells more. Settings are environment variables:
            'cairn check' shows those in force, docs/configuration.md explains them.

            """
    }

    static func command<C: Command>(_ command: C.Type) -> String {
        let words = C.arguments.map { " \($0.choices.joined(separator: "|"))" }.joined()
        var text = "\(C.summary)\n\nUsage: cairn \(C.name)\(words)\(C.options.isEmpty ? "" : " [OPTIONS]")\n"
        if !C.details.isEmpty { text += "\n\(C.details)\n" }
        let options = C.options.map { (label: "\($0.name)\($0.value.map { " \($0)" } ?? "")", text: $0.summary) }
        guard !options.isEmpty else { return text }
        let width = options.map { $0.label.utf8.count }.max() ?? 0
        text += "\nOptions:\n"
        for option in options { text += "  \(padded(option.label, width))  \(option.text)\n" }
        return text
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.utf8.count))
    }
}
