import APITestKit
import TestKit
import Testing

@Suite("Starter workflows")
struct StarterWorkflowTests {
    private let path = "/api/stacks/acme/site/dev/workflow"

    @Test(
        "are made for every system and language",
        arguments: ["github-actions", "gitlab"],
        ["nodejs", "python", "go", "dotnet", "java", "yaml"]
    )
    func makes(system: String, runtime: String) async throws {
        try await withStackServer(.sqlite) { server in
            try await server.createStack("acme/site/dev", tags: #"{"pulumi:runtime":"\#(runtime)"}"#)

            let reply = try await server.send(
                "POST",
                path,
                json: #"{"ciSystem":"\#(system)","workingDirectory":"infra/site","enablePathFilters":true}"#
            )

            let text = try #require(reply.json["content"].string, "\(reply)")
            #expect(text.contains("acme/site/dev"))
            #expect(text.contains("infra/site/**"))
            #expect(text.contains("PULUMI_ACCESS_TOKEN"))
            #expect(!text.contains("\t"))
            #expect(text.hasSuffix("\n"))
            #expect(!text.split(separator: "\n", omittingEmptySubsequences: false).contains { $0.hasSuffix(" ") })
        }
    }

    @Test("watch the whole repository unless told otherwise", arguments: ["github-actions", "gitlab"])
    func watchesAll(system: String) async throws {
        try await withStackServer(.sqlite) { server in
            try await server.createStack("acme/site/dev", tags: #"{"pulumi:runtime":"go"}"#)

            let reply = try await server.send("POST", path, json: #"{"ciSystem":"\#(system)"}"#)

            let text = try #require(reply.json["content"].string, "\(reply)")
            #expect(!text.contains("paths:"))
            #expect(!text.contains("changes:"))
        }
    }

    @Test(
        "are refused where one cannot be made",
        arguments: [
            (#"{"ciSystem":"jenkins"}"#, "nodejs"), ("{}", "nodejs"), (#"{"ciSystem":"gitlab"}"#, "perl"),
            (#"{"ciSystem":"gitlab"}"#, nil), (#"{"ciSystem":"gitlab","workingDirectory":"../x"}"#, "nodejs"),
            (#"{"ciSystem":"gitlab","workingDirectory":"/etc"}"#, "nodejs"),
            (#"{"ciSystem":"gitlab","workingDirectory":"a\nb: c"}"#, "nodejs"),
            (#"{"ciSystem":"gitlab","workingDirectory":"a b"}"#, "nodejs"),
        ] as [(String, String?)]
    )
    func refuses(json: String, runtime: String?) async throws {
        try await withStackServer(.sqlite) { server in
            let tags = runtime.map { #"{"pulumi:runtime":"\#($0)"}"# } ?? "{}"
            try await server.createStack("acme/site/dev", tags: tags)

            #expect(try await server.send("POST", path, json: json).status == 400)
        }
    }

    @Test("are for readers of the stack", arguments: Engine.available)
    func needsPermission(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev", tags: #"{"pulumi:runtime":"go"}"#)

            for (caller, status) in [(TestCaller.stranger, 401), (.eve, 404), (.mia, 200)] {
                let reply = try await server.send("POST", path, json: #"{"ciSystem":"gitlab"}"#, as: caller)
                #expect(reply.status == status)
            }
        }
    }
}
