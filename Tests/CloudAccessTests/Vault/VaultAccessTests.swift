import CloudAccess
import Foundation
import Kernel
import OutboundHTTP
import ServiceTestKit
import Testing

@Suite("Tokens of Vault")
final class VaultAccessTests: Sendable {
    private let files: TemporaryFiles
    private let time = Locked(Timestamp(seconds: 1_900_000_000))
    private let patience = ServiceClient.Patience(total: .seconds(2), transfer: .seconds(3), body: 1 << 20)

    init() throws {
        files = try TemporaryFiles()
    }

    private func access(_ environment: [String: String], podToken: String = "/nowhere") throws -> VaultAccess {
        try VaultAccess(
            VaultConfiguration(settings: Settings(environment)),
            client: makeClient(),
            effects: Effects(
                now: { self.time.withLock { $0 } },
                randomBytes: { [UInt8](repeating: 7, count: $0) }
            ),
            kubernetesToken: podToken
        )
    }

    private func later(_ seconds: Int64) {
        time.withLock { $0 = $0.advanced(by: .seconds(seconds)) }
    }

    /// Which paths were asked for and with which token, after each `write`.
    private func calls(_ server: ScriptedServer) -> [String] {
        server.calls.map { "\($0.target.dropFirst(4)) \($0.headers["X-Vault-Token"] ?? "-")" }
    }

    private func withServer(
        _ answers: [String: String],
        status: Int = 200,
        _ body: (ScriptedServer) async throws -> Void
    ) async throws {
        try await ScriptedServer.run(
            headers: ["X-Vault-Token"],
            answer: { call in
                answers[String(call.target.dropFirst(4))].map { .init(status: status, body: $0) } ?? .init(body: "{}")
            },
            body
        )
    }

    @Test("that do not end are looked up once, and used from then on")
    func rootToken() async throws {
        try await withServer(["auth/token/lookup-self": #"{"data":{"ttl":0,"renewable":false}}"#]) { server in
            let vault = try access(["VAULT_ADDR": server.url, "VAULT_TOKEN": "t"])

            for _ in 0..<3 {
                _ = try await vault.write("x", [("a", "b")], patience)
                later(1_000_000)
            }

            #expect(calls(server) == ["auth/token/lookup-self t", "x t", "x t", "x t"])
        }
    }

    @Test("that may be renewed are, before they end")
    func renewable() async throws {
        let answers = [
            "auth/token/lookup-self": #"{"data":{"ttl":900,"renewable":true}}"#,
            "auth/token/renew-self": #"{"auth":{"client_token":"t","lease_duration":3600}}"#,
        ]
        try await withServer(answers) { server in
            let vault = try access(["VAULT_ADDR": server.url, "VAULT_TOKEN": "t"])

            _ = try await vault.write("x", [], patience)
            later(2000)
            _ = try await vault.write("x", [], patience)
            later(1400)
            _ = try await vault.write("x", [], patience)

            let renewal = ["auth/token/lookup-self t", "auth/token/renew-self t"]
            #expect(calls(server) == renewal + ["x t", "x t"] + renewal + ["x t"])
        }
    }

    @Test("are come by again by AppRole before they end, with the role in the body and no token")
    func appRole() async throws {
        let answers = ["auth/approle/login": #"{"auth":{"client_token":"s.1","lease_duration":600}}"#]
        try await withServer(answers) { server in
            let vault = try access([
                "VAULT_ADDR": server.url, "CAIRN_VAULT_ROLE_ID": "r", "CAIRN_VAULT_SECRET_ID": "se\"c",
            ])

            _ = try await vault.write("x", [], patience)
            later(590)
            _ = try await vault.write("x", [], patience)

            #expect(calls(server) == ["auth/approle/login -", "x s.1", "auth/approle/login -", "x s.1"])
            #expect(server.calls.first?.body == #"{"role_id":"r","secret_id":"se\"c"}"#)
        }
    }

    @Test("are come by as a pod, with the token that Kubernetes has put into its file by then")
    func kubernetes() async throws {
        let answers = ["auth/cluster-1/login": #"{"auth":{"client_token":"s.1","lease_duration":600}}"#]
        try await withServer(answers) { server in
            let file = try files.write("token", "one.two.three\n")
            let vault = try access(
                [
                    "VAULT_ADDR": server.url, "CAIRN_VAULT_KUBERNETES_ROLE": "cairn",
                    "CAIRN_VAULT_LOGIN_PATH": "auth/cluster-1",
                ],
                podToken: file
            )

            _ = try await vault.write("x", [], patience)
            _ = try files.write("token", "four.five.six")
            later(700)
            _ = try await vault.write("x", [], patience)

            let bodies = server.calls.filter { $0.target.hasSuffix("login") }.map(\.body)
            #expect(bodies == [#"{"role":"cairn","jwt":"one.two.three"}"#, #"{"role":"cairn","jwt":"four.five.six"}"#])
        }
    }

    @Test("of a file are read again after a minute, and the old one is used while the file cannot be read")
    func tokenFile() async throws {
        try await withServer([:]) { server in
            let file = try files.write("token", "first\n")
            let vault = try access(["VAULT_ADDR": server.url, "CAIRN_VAULT_TOKEN_FILE": file])

            _ = try await vault.write("x", [], patience)
            _ = try files.write("token", "second")
            later(61)
            _ = try await vault.write("x", [], patience)
            try FileManager.default.removeItem(atPath: file)
            later(50)
            _ = try await vault.write("x", [], patience)
            later(61)
            let error = await #expect(throws: ServiceError.self) { try await vault.write("x", [], patience) }

            #expect(calls(server) == ["x first", "x second", "x second"])
            #expect(error?.message.contains("CAIRN_VAULT_TOKEN_FILE: \(file): No such file") == true)
        }
    }

    @Test(
        "that cannot be come by are told of in Vault's words",
        arguments: [
            (403, #"{"errors":["permission denied"]}"#, "refuses the login at auth/approle: permission denied"),
            (400, #"{"errors":["a","b"]}"#, "refuses the login at auth/approle: a; b"),
            (
                200, #"{"auth":{"client_token":"a b","lease_duration":1}}"#,
                "refuses the login at auth/approle: status 200"
            ),
            (200, #"{"auth":{"client_token":"a"}}"#, "refuses the login at auth/approle: status 200"),
            (200, "not JSON", "refuses the login at auth/approle: status 200"),
        ]
    )
    func refusals(status: Int, body: String, text: String) async throws {
        try await withServer(["auth/approle/login": body], status: status) { server in
            let vault = try access([
                "VAULT_ADDR": server.url, "CAIRN_VAULT_ROLE_ID": "r", "CAIRN_VAULT_SECRET_ID": "secret-1",
            ])

            let error = await #expect(throws: ServiceError.self) { try await vault.write("x", [], patience) }

            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("Vault at \(server.url) \(text)") == true, "\(error?.message ?? "")")
            #expect(error?.message.contains("secret-1") == false)
        }
    }

    @Test("are asked for in one way, with settings that fit")
    func settings() throws {
        let wrong: [([String: String], [String])] = [
            (["VAULT_ADDR": "http://vault.example:8200"], ["VAULT_ADDR"]),
            (["VAULT_ADDR": "https://vault.example/?a=b"], ["VAULT_ADDR"]),
            (["VAULT_ADDR": "vault:8200"], ["VAULT_ADDR"]),
            (["VAULT_TOKEN": "a\nb"], ["VAULT_TOKEN"]), (["VAULT_NAMESPACE": "a//b"], ["VAULT_NAMESPACE"]),
            (["CAIRN_VAULT_ROLE_ID": "r"], ["CAIRN_VAULT_ROLE_ID"]),
            (["CAIRN_VAULT_SECRET_ID": "s"], ["CAIRN_VAULT_SECRET_ID"]),
            (["VAULT_TOKEN": "t", "CAIRN_VAULT_TOKEN_FILE": "/f"], ["VAULT_TOKEN"]),
            (["CAIRN_VAULT_LOGIN_PATH": "../x"], ["CAIRN_VAULT_LOGIN_PATH"]),
        ]
        for (environment, names) in wrong {
            let error = #expect(throws: ConfigurationError.self) {
                try VaultConfiguration(settings: Settings(environment))
            }
            #expect(error?.problems.map(\.setting) == names, "\(environment)")
        }
        #expect(try VaultConfiguration(settings: Settings([:])).address.url == "https://127.0.0.1:8200")
        let none = #expect(throws: ConfigurationError.self) { try access([:]) }
        #expect(none?.description.contains("set one of VAULT_TOKEN, CAIRN_VAULT_TOKEN_FILE") == true)
    }
}
