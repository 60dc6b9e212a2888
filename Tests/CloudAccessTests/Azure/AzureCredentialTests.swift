import CloudAccess
import Foundation
import Kernel
import ServiceTestKit
import Testing

private let vault = ProcessInfo.processInfo.environment["CAIRN_TEST_AZUREVAULT"]

@Suite("Tokens of Azure")
final class AzureCredentialTests: Sendable {
    private let files: TemporaryFiles
    private let time = Locked(Timestamp(seconds: 1_900_000_000))

    init() throws {
        files = try TemporaryFiles()
    }

    private func credential(_ environment: [String: String]) throws -> AzureCredential {
        AzureCredential(
            try AzureConfiguration(settings: Settings(environment)),
            client: try makeClient(),
            effects: Effects(
                now: { self.time.withLock { $0 } },
                randomBytes: { [UInt8](repeating: 7, count: $0) }
            )
        )
    }

    private static let principal = [
        "AZURE_TENANT_ID": "tenant", "AZURE_CLIENT_ID": "client", "AZURE_CLIENT_SECRET": "s&=+ecret",
    ]
    private static let federated = [
        "AZURE_TENANT_ID": "tenant", "AZURE_CLIENT_ID": "client", "AZURE_FEDERATED_TOKEN_FILE": "/t",
    ]
    private static let service = ["IDENTITY_ENDPOINT": "http://10.0.0.1/msi/token", "IDENTITY_HEADER": "h"]

    @Test(
        "come from the first of the places that are set",
        arguments: [
            (
                principal.merging(federated) { $1 }.merging(service) { $1 },
                .secret(Redacted("s&=+ecret"), client: "client", tenant: "tenant")
            ),
            (
                federated.merging(service) { $1 },
                .federated(tokenFile: "/t", client: "client", tenant: "tenant")
            ),
            (service, .service(url: "http://10.0.0.1/msi/token", header: Redacted("h"), client: nil)),
            (
                ["AZURE_CLIENT_ID": "c", "AZURE_TENANT_ID": "t"],
                .instance(url: "http://169.254.169.254", client: "c")
            ),
            (
                ["AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://127.0.0.1:1/"],
                .instance(url: "http://127.0.0.1:1", client: nil)
            ),
        ] as [([String: String], AzureConfiguration.Origin)]
    )
    func order(environment: [String: String], origin: AzureConfiguration.Origin) throws {
        #expect(try AzureConfiguration(settings: Settings(environment)).origin == origin)
    }

    @Test(
        "need settings that belong together, and TLS for secrets",
        arguments: [
            (["AZURE_CLIENT_SECRET": "hidden"], ["AZURE_CLIENT_SECRET"]),
            (["AZURE_FEDERATED_TOKEN_FILE": "/t", "AZURE_CLIENT_ID": "c"], ["AZURE_FEDERATED_TOKEN_FILE"]),
            (["IDENTITY_ENDPOINT": "http://h/x"], ["IDENTITY_ENDPOINT"]),
            (["IDENTITY_HEADER": "hidden"], ["IDENTITY_HEADER"]),
            (["AZURE_AUTHORITY_HOST": "http://login.example"], ["AZURE_AUTHORITY_HOST"]),
            (["AZURE_AUTHORITY_HOST": "https://u:hidden@h"], ["AZURE_AUTHORITY_HOST"]),
        ] as [([String: String], [String])]
    )
    func problems(environment: [String: String], names: [String]) {
        let error = #expect(throws: ConfigurationError.self) { try AzureConfiguration(settings: Settings(environment)) }

        #expect(error?.problems.map(\.setting) == names)
        #expect(error?.description.contains("hidden") == false)
    }

    @Test("of a principal are asked for with its secret, once for each service")
    func secret() async throws {
        try await ScriptedServer.run(
            headers: ["Content-Type"],
            answer: { _ in .init(body: #"{"token_type":"Bearer","expires_in":3599,"access_token":"the-token"}"#) }
        ) { server in
            let credential = try credential(Self.principal.merging(["AZURE_AUTHORITY_HOST": server.url]) { $1 })

            #expect(try await credential.token(for: "https://vault.azure.net").reveal() == "the-token")
            #expect(try await credential.token(for: "https://vault.azure.net").reveal() == "the-token")
            #expect(try await credential.token(for: "https://storage.azure.com").reveal() == "the-token")

            #expect(server.calls.count == 2)
            #expect(server.calls[0].method == "POST")
            #expect(server.calls[0].target == "/tenant/oauth2/v2.0/token")
            #expect(server.calls[0].headers == ["Content-Type": "application/x-www-form-urlencoded"])
            #expect(
                server.calls[0].body
                    == "grant_type=client_credentials&client_id=client&scope=https%3A%2F%2Fvault.azure.net%2F.default"
                    + "&client_secret=s%26%3D%2Becret"
            )
            time.withLock { $0 = $0.advanced(by: .seconds(3400)) }
            _ = try await credential.token(for: "https://vault.azure.net")
            #expect(server.calls.count == 3)
        }
    }

    @Test("of a workload are asked for with its token file, which is read anew each time")
    func workload() async throws {
        let file = try files.write("token", "first\n")
        try await ScriptedServer.run(
            answer: { _ in .init(body: #"{"expires_in":"60","access_token":"the-token"}"#) }
        ) { server in
            var environment = Self.federated
            environment["AZURE_FEDERATED_TOKEN_FILE"] = file
            environment["AZURE_AUTHORITY_HOST"] = server.url
            let credential = try credential(environment)

            _ = try await credential.token(for: "https://vault.azure.net")
            _ = try files.write("token", "second")
            time.withLock { $0 = $0.advanced(by: .seconds(61)) }
            _ = try await credential.token(for: "https://vault.azure.net")

            let assertion =
                "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion="
            #expect(server.calls.map { $0.body.hasSuffix("\(assertion)first") } == [true, false])
            #expect(server.calls.map { $0.body.hasSuffix("\(assertion)second") } == [false, true])
        }
    }

    @Test("of managed identities come from App Service and from the machine, each in its own way")
    func managed() async throws {
        let end = time.withLock { $0.advanced(by: .seconds(600)).seconds }
        try await ScriptedServer.run(
            headers: ["Metadata", "X-IDENTITY-HEADER"],
            answer: { _ in .init(body: #"{"expires_on":"\#(end)","expires_in":"1","access_token":"t"}"#) }
        ) { server in
            let service = try credential([
                "IDENTITY_ENDPOINT": "\(server.url)/msi/token", "IDENTITY_HEADER": "h", "AZURE_CLIENT_ID": "c d",
            ])
            let machine = try credential(["AZURE_POD_IDENTITY_AUTHORITY_HOST": server.url])
            for credential in [service, machine] {
                for _ in 0..<2 { _ = try await credential.token(for: "https://vault.azure.net") }
            }

            let resource = "resource=https%3A%2F%2Fvault.azure.net"
            let headers = Dictionary(server.calls.map { ($0.target, $0.headers) }) { first, _ in first }
            #expect(
                headers == [
                    "/msi/token?api-version=2019-08-01&\(resource)&client_id=c%20d": ["X-IDENTITY-HEADER": "h"],
                    "/metadata/identity/oauth2/token?api-version=2018-02-01&\(resource)": ["Metadata": "true"],
                ]
            )
        }
    }

    @Test(
        "are missed with what the service says",
        arguments: [
            (
                400, #"{"error":"invalid_client","error_description":"AADSTS7000215: No.\r\nTrace"}"#,
                "invalid_client: AADSTS7000215: No."
            ),
            (404, "gone", "status 404"), (200, "[]", "without a token"),
            (200, #"{"access_token":"hidden"}"#, "when its token ends"),
            (200, #"{"access_token":"hidden","expires_in":-5}"#, "when its token ends"),
        ]
    )
    func refusals(status: Int, body: String, text: String) async throws {
        try await ScriptedServer.run(answer: { _ in .init(status: status, body: body) }) { server in
            let credential = try credential(Self.principal.merging(["AZURE_AUTHORITY_HOST": server.url]) { $1 })

            let error = await #expect(throws: ServiceError.self) { try await credential.token(for: "https://x") }

            #expect(error?.code == .unavailable)
            #expect(error?.message.contains(text) == true, "\(error?.message ?? "")")
            #expect(error?.message.contains("Trace") == false)
            #expect(error?.message.contains("hidden") == false)
        }
    }

    @Test(
        "come in every way from a service that the vendor's libraries take for the real one",
        .enabled(if: vault != nil, "CAIRN_TEST_AZUREVAULT is not set: start it with ./dev services start")
    )
    func realService() async throws {
        let url = try #require(vault)
        time.withLock { $0 = Timestamp(seconds: Int64(Date().timeIntervalSince1970)) }
        let file = try files.write("token", "federated-token")
        let principal = [
            "AZURE_AUTHORITY_HOST": url, "AZURE_CLIENT_ID": "cairn-client",
            "AZURE_TENANT_ID": "00000000-0000-0000-0000-000000000001",
        ]

        for environment in [
            principal.merging(["AZURE_CLIENT_SECRET": "cairn-secret"]) { $1 },
            principal.merging(["AZURE_FEDERATED_TOKEN_FILE": file]) { $1 },
            ["IDENTITY_ENDPOINT": "\(url)/msi/token", "IDENTITY_HEADER": "identity-header"],
            ["AZURE_POD_IDENTITY_AUTHORITY_HOST": url],
        ] {
            #expect(try await !credential(environment).token(for: url).reveal().isEmpty)
        }
        let wrong = try credential(principal.merging(["AZURE_CLIENT_SECRET": "wrong"]) { $1 })
        let error = await #expect(throws: ServiceError.self) { try await wrong.token(for: url) }
        #expect(error?.message.contains("AADSTS7000215") == true)
    }
}
