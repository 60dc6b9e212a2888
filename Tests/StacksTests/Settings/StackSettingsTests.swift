import APITestKit
import TestKit
import Testing

@Suite("A stack's owner and notifications")
struct StackSettingsTests {
    @Test("belong at first to whoever made it, who hears of nothing", arguments: Engine.available)
    func beginsWithCreator(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev", as: .mia)

            let reply = try await server.send("GET", "/api/stacks/acme/site/dev/metadata")

            #expect(reply.status == 200)
            #expect(reply.json["ownedBy"]["githubLogin"].string == "mia")
            #expect(reply.json["projectName"].string == "site")
            #expect(reply.json["notificationSettings"]["notifyUpdateSuccess"].bool == false)
            #expect(reply.json["notificationSettings"]["notifyUpdateFailure"].bool == false)
        }
    }

    @Test("change one setting at a time", arguments: Engine.available)
    func changesNotifications(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let path = "/api/stacks/acme/site/dev/notifications/settings"

            _ = try await server.send("PATCH", path, json: #"{"notifyUpdateFailure":true}"#)
            let reply = try await server.send("PATCH", path, json: #"{"notifyUpdateSuccess":true}"#)
            let kept = try await server.send("GET", "/api/stacks/acme/site/dev/metadata")

            for settings in [reply.json["notificationSettings"], kept.json["notificationSettings"]] {
                #expect(settings["notifyUpdateFailure"].bool == true)
                #expect(settings["notifyUpdateSuccess"].bool == true)
            }
        }
    }

    @Test(
        "go to another member, who then administers it",
        arguments: Engine.available
    )
    func changesOwner(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let refused = try await server.send("DELETE", "/api/stacks/acme/site/dev", as: .mia)

            let reply = try await server.send("POST", "/api/stacks/acme/site/dev/ownership", json: owner("mia"))

            #expect(refused.status == 403)
            #expect(reply.status == 200)
            #expect(reply.json["githubLogin"].string == "dev")
            let metadata = try await server.send("GET", "/api/stacks/acme/site/dev/metadata")
            #expect(metadata.json["ownedBy"]["githubLogin"].string == "mia")
            let grants = try await server.send("GET", "/api/stacks/acme/site/dev/collaborators").json["users"].array
            #expect(grants.map { $0["user"]["githubLogin"].string } == ["dev", "mia"])
            #expect(grants.map { $0["permission"].int } == [103, 104])
            #expect(try await server.send("DELETE", "/api/stacks/acme/site/dev", as: .mia).status == 204)
        }
    }

    @Test("stay with the members of the organization", arguments: ["eve", "root", "nobody", ""])
    func refusesOwner(login: String) async throws {
        try await withStackServer(.sqlite) { server in
            try await server.createStack("acme/site/dev")

            let reply = try await server.send("POST", "/api/stacks/acme/site/dev/ownership", json: owner(login))

            #expect(reply.status == 400)
            #expect(reply.message?.contains("githubLogin:") == true, "\(reply)")
            let metadata = try await server.send("GET", "/api/stacks/acme/site/dev/metadata")
            #expect(metadata.json["ownedBy"]["githubLogin"].string == "dev")
        }
    }

    @Test("are for those who may see or change them", arguments: Engine.available)
    func needsPermission(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let path = "/api/stacks/acme/site/dev"

            for (caller, status) in [(TestCaller.stranger, 401), (.eve, 404)] {
                #expect(try await server.send("GET", "\(path)/metadata", as: caller).status == status)
            }
            let expected: [(String, Int)] = [("dev", 403), ("none", 404)]
            for (stack, status) in expected {
                let reply = try await server.send(
                    "POST",
                    "/api/stacks/acme/site/\(stack)/ownership",
                    json: owner("mia"),
                    as: .mia
                )
                #expect(reply.status == status)
            }
        }
    }

    private func owner(_ login: String) -> String {
        #"{"name":"","githubLogin":"\#(login)","avatarUrl":""}"#
    }
}
