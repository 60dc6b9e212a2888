import APITestKit
import TestKit
import Testing

@Suite("Resources of a stack")
struct StackResourceTests {
    private let path = "/api/stacks/acme/site/dev/resources"
    private let pet = "urn:pulumi:dev::site::random:index/randomPet:RandomPet::pet"

    private func petText(_ more: String = "") -> String {
        """
        {"urn":"\(pet)","custom":true,"id":"brave-cat","type":"random:index/randomPet:RandomPet",\
        "inputs":{"length":2},"outputs":{"big":12345678901234567890},"parent":"\(TestServer.rootURN("site", "dev"))",\
        "dependencies":["\(TestServer.rootURN("site", "dev"))"]\(more)}
        """
    }

    @Test("are counted and listed of the newest version and of earlier ones", arguments: Engine.available)
    func listsVersions(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            try await server.importState([TestServer.root("site", "dev"), petText()], into: "acme/site/dev")
            try await server.importState([TestServer.root("site", "dev")], into: "acme/site/dev")

            let count = try await server.send("GET", "\(path)/count")
            let latest = try await server.send("GET", "\(path)/latest")
            let first = try await server.send("GET", "\(path)/1")

            #expect(count.text == #"{"resourceCount":1,"version":2}"#)
            #expect(latest.json["version"].int == 2)
            #expect(latest.json["resources"].array.count == 1)
            #expect(first.json["version"].int == 1)
            #expect(first.json["resources"].array.map { $0["resource"]["urn"].string }.last == pet)
        }
    }

    @Test("have the contract's form, and values as they are in the state", arguments: Engine.available)
    func hasForm(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            try await server.importState(
                [TestServer.root("site", "dev"), petText(#","protect":true"#)],
                into: "acme/site/dev"
            )

            let reply = try await server.send("GET", "\(path)/latest/\(Self.escaped(pet))")
            let resource = reply.json["resource"]["resource"]

            #expect(reply.status == 200)
            #expect(resource["urn"].string == pet)
            #expect(resource["id"].string == "brave-cat")
            #expect(resource["custom"].bool == true)
            #expect(resource["delete"].bool == false)
            #expect(resource["protect"].bool == true)
            #expect(resource["dependencies"].array.map(\.string) == [TestServer.rootURN("site", "dev")])
            #expect(resource["inputs"]["length"].int == 2)
            #expect(reply.text.contains(#""big":12345678901234567890"#))
        }
    }

    @Test("of one name prefer the one that stays", arguments: Engine.available)
    func prefersLiving(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let old = petText(#","delete":true"#).replacing("brave-cat", with: "old-cat")
            try await server.importState([TestServer.root("site", "dev"), old, petText()], into: "acme/site/dev")

            let reply = try await server.send("GET", "\(path)/1/\(Self.escaped(pet))")

            #expect(reply.json["resource"]["resource"]["id"].string == "brave-cat")
        }
    }

    @Test("are none in a stack without state", arguments: Engine.available)
    func areNone(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")

            #expect(try await server.send("GET", "\(path)/count").text == #"{"resourceCount":0,"version":0}"#)
            #expect(try await server.send("GET", "\(path)/latest").json["resources"].array.isEmpty)
            #expect(try await server.send("GET", "\(path)/latest/\(Self.escaped(pet))").status == 404)
        }
    }

    @Test("are not found under versions and names that are none", arguments: Engine.available)
    func refuses(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            try await server.importState([TestServer.root("site", "dev")], into: "acme/site/dev")

            let expected: [(String, Int)] = [
                ("\(path)/2", 404), ("\(path)/0", 400), ("\(path)/x", 400), ("\(path)/1/\(Self.escaped(pet))", 404),
                ("/api/stacks/acme/site/none/resources/latest", 404),
            ]
            for (target, status) in expected {
                #expect(try await server.send("GET", target).status == status, "\(target)")
            }
            #expect(try await server.send("GET", "\(path)/latest", as: .eve).status == 404)
            #expect(try await server.send("GET", "\(path)/latest", as: .stranger).status == 401)
        }
    }

    @Test(
        "are said to be in the region that the configuration names in the clear",
        arguments: [
            (#"{"aws:region":{"string":"eu-west-1","secret":false}}"#, "eu-west-1"),
            (#"{"aws:region":{"string":"AAAB","secret":true}}"#, ""),
            (#"{"gcp:region":{"string":"x"}}"#, ""),
        ]
    )
    func saysRegion(config: String, region: String) async throws {
        try await withStackServer(.sqlite) { server in
            try await server.createStack("acme/site/dev")
            try await server.run("update", of: "acme/site/dev", saving: [petText()], config: config)

            #expect(try await server.send("GET", "\(path)/latest").json["region"].string == region)
        }
    }

    @Test("are in the overview with tags and stacks that are read", arguments: Engine.available)
    func overview(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev", tags: #"{"a":"b"}"#)
            try await server.createStack("acme/net/prod")
            let reference = StackReferenceTests.reference("net", "acme/net/prod")
            try await server.importState([TestServer.root("site", "dev"), reference], into: "acme/site/dev")

            let reply = try await server.send("GET", "/api/console/stacks/acme/site/dev/overview")

            #expect(reply.json["tags"].strings == ["a": "b"])
            #expect(reply.json["resources"]["resources"].array.count == 2)
            #expect(reply.json["referencedStacks"].array.map { $0["routingProject"].string } == ["net"])
        }
    }

    /// A URN as one segment of a path.
    static func escaped(_ urn: String) -> String {
        urn.replacing("/", with: "%2F").replacing(" ", with: "%20")
    }
}
