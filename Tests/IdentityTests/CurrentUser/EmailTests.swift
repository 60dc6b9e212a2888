import APITestKit
import TestKit
import Testing

@Suite("Addresses and invitations")
struct EmailTests {
    @Test("are never verified, pending or open, as the server sends no mail", arguments: Engine.available)
    func areNone(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            let verified = try await server.send("GET", "/api/user/verified-email")

            #expect(verified.text == "false")
            #expect(try await server.send("GET", "/api/user/pending-emails").status == 404)
            #expect(try await server.send("DELETE", "/api/user/pending-emails").status == 404)
            #expect(try await server.send("GET", "/api/user/pending-invites").text == #"{"invites":[]}"#)
            #expect(try await server.send("GET", "/api/user/pending-invites", as: .stranger).status == 401)
        }
    }
}
