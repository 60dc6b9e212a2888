import APITestKit
import Identity
import TestKit
import Testing

@Suite("Listing stacks")
struct ListStacksTests {
    @Test("shows what the caller can read, by organization, project and name", arguments: Engine.available)
    func lists(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await makeStacks(server)
            let bill = try await server.addUser("bill", as: .billingManager)

            let expected: [(TestCaller, [String])] = [
                (.dev, ["acme/app/dev", "acme/app/prod", "acme/site/dev", "dev/own/x"]),
                (.mia, ["acme/app/dev", "acme/app/prod", "acme/site/dev"]),
                (.eve, ["other/app/dev"]), (.root, []), (bill, []),
            ]
            for (caller, stacks) in expected {
                let reply = try await server.send("GET", "/api/user/stacks", as: caller)
                #expect(reply.status == 200)
                #expect(references(reply) == stacks)
                #expect(!reply.json["continuationToken"].exists)
            }
            let first = try await server.send("GET", "/api/user/stacks").json["stacks"][0]
            #expect(!first["lastUpdate"].exists)
            #expect(first["id"].string?.isEmpty == false)
        }
    }

    @Test(
        "25: finds by organization, project and tag, all of which must hold",
        arguments: [
            ("organization=acme", ["acme/app/dev", "acme/app/prod", "acme/site/dev"]),
            ("organization=dev", ["dev/own/x"]),
            ("organization=other", []),
            ("organization=ACME", []),
            ("project=app", ["acme/app/dev", "acme/app/prod"]),
            ("project=app&organization=dev", []),
            ("tagName=tier", ["acme/app/dev", "acme/app/prod"]),
            ("tagName=tier&tagValue=gold", ["acme/app/prod"]),
            ("tagName=tier&tagValue=Gold", []),
            ("tagName=tier&tagValue=", []),
            ("tagName=empty&tagValue=", ["acme/site/dev"]),
            ("tagValue=gold", ["acme/app/dev", "acme/app/prod", "acme/site/dev", "dev/own/x"]),
            ("tagName=tier&tagValue=gold&project=site", []),
            ("tagName=%25", []),
            ("project='%20OR%20'1'='1", []),
        ]
    )
    func filters(query: String, stacks: [String]) async throws {
        for engine in Engine.available {
            try await withStackServer(engine) { server in
                try await makeStacks(server)

                let reply = try await server.send("GET", "/api/user/stacks?\(query)")

                #expect(references(reply) == stacks, "on \(engine)")
            }
        }
    }

    @Test("24: goes on where the page before ended, also while stacks come and go", arguments: Engine.available)
    func pages(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await makeStacks(server)
            let first = try await server.send("GET", "/api/user/stacks?maxResults=2")
            let token = try #require(first.json["continuationToken"].string)

            _ = try await server.send("DELETE", "/api/stacks/acme/app/prod")
            try await server.createStack("acme/app/a-before")
            try await server.createStack("acme/app/zzz")
            let second = try await server.send("GET", "/api/user/stacks?maxResults=2&continuationToken=\(token)")

            #expect(references(first) == ["acme/app/dev", "acme/app/prod"])
            #expect(references(second) == ["acme/app/zzz", "acme/site/dev"])
            #expect(token.wholeMatch(of: /[A-Za-z0-9_-]+/) != nil)
        }
    }

    @Test(
        "24: shows each of 2,500 stacks once, while others come and go between the pages",
        arguments: Engine.available
    )
    func manyPages(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            let names = (0..<2_500).map { "s\(String($0 + 10_000).dropFirst())" }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for part in 0..<10 {
                    group.addTask {
                        for index in stride(from: part, to: names.count, by: 10) {
                            try await server.createStack("acme/app/\(names[index])")
                        }
                    }
                }
                try await group.waitForAll()
            }
            var seen: [String] = []
            var token: String?
            var pages = 0

            repeat {
                let query = token.map { "?continuationToken=\($0)" } ?? ""
                let page = try await server.send("GET", "/api/user/stacks\(query)")
                seen += references(page)
                token = page.json["continuationToken"].string
                #expect(token != nil || !page.json["continuationToken"].exists)
                pages += 1
                // One that was seen goes, one that will not be seen goes, and one comes before all pages to come.
                if pages == 1 {
                    for gone in [names[0], names[2_499]] {
                        _ = try await server.send("DELETE", "/api/stacks/acme/app/\(gone)")
                    }
                    try await server.createStack("acme/app/a-before")
                }
            } while token != nil && pages < 1_000

            #expect(pages > 2)
            #expect(seen == names.dropLast().map { "acme/app/\($0)" })
        }
    }

    @Test("24: shows each stack once whatever the size of the pages", arguments: Engine.available)
    func sizes(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await makeStacks(server)
            for stack in ["acme/app/dev2", "acme/app2/dev", "acme/app2/a", "dev/app/a", "dev/zoo/a"] {
                try await server.createStack(stack, tags: #"{"tier":"new"}"#)
            }

            for query in ["", "&organization=acme", "&project=app", "&tagName=tier", "&project=app2&organization=acme"]
            {
                let all = references(try await server.send("GET", "/api/user/stacks?maxResults=100\(query)"))
                for size in 1...4 {
                    var seen: [String] = []
                    var token: String? = ""
                    while let last = token, seen.count <= all.count {
                        let path = "/api/user/stacks?maxResults=\(size)\(query)&continuationToken=\(last)"
                        let page = try await server.send("GET", path)
                        seen += references(page)
                        token = page.json["continuationToken"].string
                    }
                    #expect(all.count > 1 && seen == all, "\(size) a page, \(query)")
                }
            }
        }
    }

    @Test("24: ends without a token, also when the last page is full", arguments: Engine.available)
    func ends(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await makeStacks(server)

            let full = try await server.send("GET", "/api/user/stacks?maxResults=4")
            let more = try await server.send("GET", "/api/user/stacks?maxResults=100000")

            #expect(references(full).count == 4 && !full.json["continuationToken"].exists)
            #expect(references(more).count == 4 && !more.json["continuationToken"].exists)
        }
    }

    @Test(
        "refuses what it did not give out",
        arguments: [
            "continuationToken=x", "continuationToken=%21", "continuationToken=e30", "continuationToken=WyJhIl0",
            "continuationToken=W10", "maxResults=-1", "maxResults=x", "maxResults=1.5",
            "maxResults=99999999999999999999", "maxResults=1&maxResults=1",
        ]
    )
    func refuses(query: String) async throws {
        try await withStackServer(.sqlite) { server in
            let reply = try await server.send("GET", "/api/user/stacks?\(query)")

            #expect(reply.status == 400)
            #expect(reply.message?.contains("\(query.prefix { $0 != "=" }):") == true, "\(reply)")
        }
    }

    @Test("25: refuses the token of another filter or list, and shows nothing to whoever steals one")
    func refusesForeignTokens() async throws {
        try await withStackServer(.sqlite) { server in
            try await makeStacks(server)
            let page = try await server.send("GET", "/api/user/stacks?maxResults=1")
            let token = try #require(page.json["continuationToken"].string)

            let filtered = try await server.send("GET", "/api/user/stacks?project=app&continuationToken=\(token)")
            let stolen = try await server.send("GET", "/api/user/stacks?continuationToken=\(token)", as: .eve)

            #expect(filtered.status == 400)
            #expect(references(stolen) == ["other/app/dev"])
        }
    }

    @Test("is no business of a stranger")
    func refusesStrangers() async throws {
        try await withStackServer(.sqlite) { server in
            let reply = try await server.send("GET", "/api/user/stacks", as: .stranger)

            #expect(reply.status == 401)
        }
    }

    private func makeStacks(_ server: TestServer) async throws {
        try await server.createStack("dev/own/x")
        try await server.createStack("acme/site/dev", tags: #"{"empty":""}"#)
        try await server.createStack("acme/app/prod", tags: #"{"tier":"gold"}"#)
        try await server.createStack("acme/app/dev", tags: #"{"tier":"silver"}"#)
        try await server.createStack("other/app/dev", tags: #"{"tier":"gold"}"#, as: .eve)
    }

    private func references(_ reply: TestReply) -> [String] {
        reply.json["stacks"].array.map { stack in
            [stack["orgName"], stack["projectName"], stack["stackName"]].map { $0.string ?? "?" }
                .joined(separator: "/")
        }
    }
}
