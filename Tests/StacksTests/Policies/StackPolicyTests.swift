import APITestKit
import TestKit
import Testing

@Suite("Policies of a stack")
struct StackPolicyTests {
    @Test("are none, as there is nothing that makes one", arguments: Engine.available)
    func areNone(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")

            let groups = try await server.send("GET", "/api/stacks/acme/site/dev/policygroups")
            let packs = try await server.send("GET", "/api/stacks/acme/site/dev/policypacks")

            #expect(groups.text == #"{"policyGroups":[]}"#)
            #expect(packs.text == #"{"requiredPolicies":[]}"#)
            for resource in ["policygroups", "policypacks"] {
                #expect(try await server.send("GET", "/api/stacks/acme/site/none/\(resource)").status == 404)
                #expect(try await server.send("GET", "/api/stacks/acme/site/dev/\(resource)", as: .eve).status == 404)
            }
        }
    }
}
