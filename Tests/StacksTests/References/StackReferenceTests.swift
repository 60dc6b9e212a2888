import APITestKit
import Kernel
import Stacks
import TestKit
import Testing

@Suite("References between stacks")
struct StackReferenceTests {
    @Test("are seen from both ends, and follow the newest version", arguments: Engine.available)
    func showsBothEnds(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            for stack in ["acme/net/prod", "acme/site/dev"] { try await server.createStack(stack) }
            let root = TestServer.root("site", "dev")
            try await server.importState([root, Self.reference("n", "acme/net/prod")], into: "acme/site/dev")

            let up = try await server.send("GET", "/api/stacks/acme/site/dev/upstreamreferences")
            let down = try await server.send("GET", "/api/stacks/acme/net/prod/downstreamreferences")
            try await server.importState([root], into: "acme/site/dev")

            #expect(names(up) == ["acme/net/prod"])
            #expect(names(down) == ["acme/site/dev"])
            #expect(down.json["referencedStacks"][0]["version"].int == 1)
            #expect(try await names(server.send("GET", "/api/stacks/acme/site/dev/upstreamreferences")).isEmpty)
            #expect(try await names(server.send("GET", "/api/stacks/acme/net/prod/downstreamreferences")).isEmpty)
        }
    }

    @Test("come with updates that save checkpoints, whatever their end", arguments: ["succeeded", "failed"])
    func comeWithUpdates(status: String) async throws {
        try await withStackServer(.sqlite) { server in
            for stack in ["acme/net/prod", "acme/site/dev"] { try await server.createStack(stack) }
            let resources = [TestServer.root("site", "dev"), Self.reference("n", "acme/net/prod")]

            try await server.run("update", of: "acme/site/dev", saving: resources, status: status)
            try await server.run("refresh", of: "acme/site/dev")

            let up = try await server.send("GET", "/api/stacks/acme/site/dev/upstreamreferences")
            #expect(names(up) == ["acme/net/prod"])
        }
    }

    @Test("come with the state a stack is made with, and follow it to its new name", arguments: Engine.available)
    func comeWithCreation(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/base")
            let state = TestServer.state([TestServer.root("site", "dev"), Self.reference("n", "acme/base")])
            let json = #"{"stackName":"dev","state":\#(state)}"#
            let made = try await server.send("POST", "/api/stacks/acme/site", json: json)

            let before = try await server.send("GET", "/api/stacks/acme/site/base/downstreamreferences")
            let renamed = try await server.send(
                "POST",
                "/api/stacks/acme/site/dev/rename",
                json: #"{"newName":"prod"}"#
            )
            let after = try await server.send("GET", "/api/stacks/acme/site/base/downstreamreferences")

            #expect(made.isSuccess && renamed.isSuccess)
            #expect(names(before) == ["acme/site/dev"])
            #expect(names(after) == ["acme/site/prod"])
        }
    }

    @Test("show only stacks that exist and that the caller can read", arguments: Engine.available)
    func hidesForeign(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("other/net/prod", as: .eve)
            try await server.createStack("acme/site/dev")
            let references = [
                Self.reference("a", "other/net/prod"), Self.reference("b", "acme/none/none"),
                Self.reference("c", "a b/c/d"), Self.reference("d", "acme/site/dev", more: #","delete":true"#),
            ]

            try await server.importState([TestServer.root("site", "dev")] + references, into: "acme/site/dev")

            let up = try await server.send("GET", "/api/stacks/acme/site/dev/upstreamreferences")
            let down = try await server.send("GET", "/api/stacks/other/net/prod/downstreamreferences", as: .eve)
            #expect(up.status == 200 && names(up).isEmpty)
            #expect(down.status == 200 && names(down).isEmpty)
            #expect(
                try await server.send("GET", "/api/stacks/acme/site/dev/upstreamreferences", as: .eve).status == 404
            )
        }
    }

    @Test(
        "mean a stack of the reader's project and organization where they leave these out",
        arguments: [
            ("prod", "acme/site/prod"), ("other/prod", "other/site/prod"), ("other/net/prod", "other/net/prod"),
            ("", nil), ("a/b/c/d", nil), ("other/net/", nil), ("o/net/prod", nil),
        ] as [(String, String?)]
    )
    func resolvesNames(name: String, meant: String?) throws {
        let reader = StackRef(
            organization: try OrganizationName("acme"),
            project: try ProjectName("site"),
            name: try StackName("dev")
        )

        let found = StackRef(named: name, readBy: reader)

        #expect(found?.description == meant)
    }

    /// A resource that reads another stack.
    static func reference(_ name: String, _ stack: String, more: String = "") -> String {
        """
        {"urn":"urn:pulumi:dev::site::pulumi:pulumi:StackReference::\(name)","custom":true,"id":"\(stack)",\
        "type":"pulumi:pulumi:StackReference","inputs":{"name":"\(stack)"},"outputs":{"name":"\(stack)"}\(more)}
        """
    }

    private func names(_ reply: TestReply) -> [String] {
        reply.json["referencedStacks"].array.map { stack in
            ["organization", "routingProject", "name"].map { stack[$0].string ?? "?" }.joined(separator: "/")
        }
    }
}
