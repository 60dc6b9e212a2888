import Server

@main
struct Main {
    static func main() async {
        let environment = ProcessEnvironment.live()
        let code = await Program.run(Array(CommandLine.arguments.dropFirst()), in: environment)
        ProcessEnvironment.exit(code)
    }
}
