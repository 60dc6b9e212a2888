import Server
import Testing

@Suite("The command line")
struct CommandLineTests {
    @Test(
        "is refused with code 64 and what was meant, perhaps",
        arguments: [
            (["srve"], "there is no command 'srve'; did you mean 'serve'?"),
            (["frobnicate"], "there is no command 'frobnicate'"),
            (["--verbose"], "cairn serve has no option --verbose"),
            (["serve", "--hepl"], "did you mean --help?"),
            (["serve", "now"], "cairn serve does not take 'now'"),
            (["migrate"], "cairn migrate needs action: one of plan, up"),
            (["migrate", "down"], "'down' is no action: cairn migrate takes plan, up"),
            (["migrate", "up", "up"], "cairn migrate does not take 'up'"),
            (["move"], "cairn move needs what: one of objects, database"),
            (["move", "objects"], "cairn move objects needs --to"),
            (["move", "database"], "cairn move database needs --to"),
            (["move", "database", "--to", "postgres"], "takes --to sqlite or --to mysql, not 'postgres'"),
            (["move", "database", "--to", "mysql", "--check"], "cairn move database takes no --check"),
            (["move", "objects", "--to", "x", "--cancel"], "cairn move objects takes no --cancel"),
            (
                ["move", "database", "--to", "mysql", "--dry-run", "--cancel"],
                "--cancel and --dry-run do not go together"
            ),
            (["version", "-x"], "cairn version has no option -x"),
            (["check", "--all=1"], "cairn check has no option --all"),
            ([""], "there is no command ''"),
        ]
    )
    func refuses(arguments: [String], message: String) async {
        let console = Console()

        let code = await console.run(arguments)

        #expect(code == 64)
        #expect(console.error.contains(message), "\(console.error)")
        #expect(console.error.hasSuffix("Try 'cairn --help'.\n"))
        #expect(console.output.isEmpty)
    }

    @Test("tells its version", arguments: [["version"], ["--version"]])
    func tellsVersion(arguments: [String]) async {
        let console = Console()

        let code = await console.run(arguments)

        #expect(code == 0)
        #expect(console.output == "cairn \(Version.current)\n")
    }

    @Test("lists every command", arguments: ["--help", "-h", "help"])
    func lists(argument: String) async {
        let console = Console()

        let code = await console.run([argument])

        #expect(code == 0)
        for command in Program.commands {
            #expect(console.output.contains("  \(command.name)"))
            #expect(console.output.contains(command.summary))
        }
    }

    @Test("explains every command", arguments: Program.commands.map { $0.name })
    func explains(name: String) async throws {
        let console = Console()
        let command = try #require(Program.commands.first { $0.name == name })

        let code = await console.run([name, "--help"])

        #expect(code == 0)
        #expect(console.output.contains("Usage: cairn \(name)"))
        #expect(console.output.contains(command.details))
        for option in command.options { #expect(console.output.contains(option.name)) }
        for word in command.arguments.flatMap(\.choices) { #expect(console.output.contains(word)) }
    }

    @Test("prints the routes as the reviewed table has them")
    func printsRoutes() async throws {
        let console = Console()

        let code = await console.run(["routes"])

        #expect(code == 0)
        #expect(console.output.split(separator: "\n").count == EveryRoute.routes.count)
    }

    @Test("shows the settings in force without secrets, and what is wrong with them")
    func checks() async {
        let good = Console()
        let bad = Console()

        let goodCode = await good.run(["check"], variables: ["PORT": "9000", "CAIRN_ADMIN_TOKEN": "pul-visible"])
        let badCode = await bad.run(["check"], variables: ["PORT": "x", "CAIRN_PORT": "1"])

        #expect(goodCode == 0)
        #expect(good.output.contains("PORT = 9000 (set)"))
        #expect(good.output.contains("CAIRN_ORGANIZATION = main (default)"))
        #expect(good.output.contains("CAIRN_ADMIN_TOKEN = [redacted] (set)"))
        #expect(!good.output.contains("pul-visible"))
        #expect(badCode == 78)
        #expect(bad.error.contains("PORT: ") && bad.error.contains("CAIRN_PORT: "))
    }
}

@Suite("Options of a command")
struct ParsedArgumentsTests {
    @Test(
        "are read in any order, with their values apart or after '='",
        arguments: [
            ["run", "--file", "x", "--quick"], ["--quick", "--file=x", "run"], ["--file", "x", "run", "--quick"],
        ]
    )
    func reads(arguments: [String]) throws {
        let parsed = try ParsedArguments(arguments[...], for: Sample.self)

        #expect(parsed.words == ["run"])
        #expect(parsed.options == ["--file": "x"])
        #expect(parsed.switches == ["--quick"])
    }

    @Test("may have an empty value, or one that looks like an option", arguments: ["", "--quick", "a=b"])
    func readsValues(value: String) throws {
        let parsed = try ParsedArguments(["run", "--file=\(value)"], for: Sample.self)

        #expect(parsed.options == ["--file": value])
        #expect(parsed.switches.isEmpty)
    }

    @Test(
        "are refused where they do not fit",
        arguments: [
            (["run", "--file"], "--file needs a value"),
            (["run", "--file=a", "--file=b"], "--file is given twice"),
            (["run", "--quick=yes"], "--quick takes no value"),
            (["run", "--flie=a"], "cairn sample has no option --flie; did you mean --file?"),
            (["walk"], "'walk' is no action: cairn sample takes run, stop"),
        ]
    )
    func refuses(arguments: [String], message: String) {
        let error = #expect(throws: UsageError.self) { _ = try ParsedArguments(arguments[...], for: Sample.self) }

        #expect(error?.message == message)
    }

    private struct Sample: Command {
        static let name = "sample"
        static let summary = "For tests"
        static let options = [CommandOption("--file", value: "FILE", "a file"), CommandOption("--quick", "be quick")]
        static let arguments = [CommandArgument("action", oneOf: ["run", "stop"])]

        init(_ parsed: ParsedArguments) {}

        func run(_ environment: ProcessEnvironment) async -> Int32 { 0 }
    }
}
