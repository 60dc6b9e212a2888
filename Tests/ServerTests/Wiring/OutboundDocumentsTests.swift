import APITestKit
import HTTPServer
import Kernel
import OutboundHTTP
import TestKit
import Testing

/// Issuers fetched through a socket, as the program does it.
@Suite("Documents of issuers")
struct OutboundDocumentsTests {
    @Test("are fetched from where the operator permits it, and from nowhere else", arguments: [true, false])
    func fetches(isPermitted: Bool) async throws {
        let ranges = isPermitted ? [try #require(AddressRange("127.0.0.1"))] : []
        try await withIssuer { url in
            try await withFullServer(.sqlite, outbound: OutboundRules(allowing: ranges)) { server in
                let path = "/api/orgs/acme/oidc/issuers"

                let reply = try await server.send("POST", path, json: #"{"name":"local","url":"\#(url)"}"#)

                #expect(reply.status == (isPermitted ? 200 : 400), "\(reply)")
                #expect(reply.json["issuer"].string == (isPermitted ? url : nil))
                #expect(isPermitted || reply.message?.contains("CAIRN_OUTBOUND_ALLOW") == true)
                #expect(!reply.text.contains("inside"))
            }
        }
    }

    @Test("are none when the answer is another one than 200")
    func refusesStatus() async throws {
        let ranges = [try #require(AddressRange("127.0.0.1"))]
        try await withIssuer { url in
            try await withFullServer(.sqlite, outbound: OutboundRules(allowing: ranges)) { server in
                let json = #"{"name":"local","url":"\#(url)/absent"}"#

                let reply = try await server.send("POST", "/api/orgs/acme/oidc/issuers", json: json)

                #expect(reply.status == 400)
                #expect(reply.message?.contains("discovery document") == true)
                #expect(!reply.text.contains("inside"))
            }
        }
    }

    private func withIssuer(_ body: (String) async throws -> Void) async throws {
        let configuration = HTTPServerConfiguration(addresses: [.init(host: "127.0.0.1", port: 0)])
        let server = Server(configuration: configuration) { request in Self.answer(request) }
        let port = try server.start()[0]
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            try await body("http://127.0.0.1:\(port)")
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    private static func answer(_ request: HTTPRequest) -> HTTPResponse {
        let url = "http://\(request.headers["Host"] ?? "")"
        switch request.target.path {
        case "/.well-known/openid-configuration":
            return document(#"{"issuer":"\#(url)","jwks_uri":"\#(url)/keys"}"#)
        case "/keys":
            let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
            return document(#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"\#(x)","kid":"a"}]}"#)
        default:
            return HTTPResponse(HTTPStatus(404), body: .bytes(Array("the inside of a service".utf8)))
        }
    }

    private static func document(_ text: String) -> HTTPResponse {
        HTTPResponse(HTTPStatus(200), body: .bytes(Array(text.utf8)))
    }
}
