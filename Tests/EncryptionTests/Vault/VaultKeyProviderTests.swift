import CloudAccess
import Crypto
import Encryption
import Foundation
import Kernel
import ServiceTestKit
import Testing
import Transfers

private let service = ProcessInfo.processInfo.environment["CAIRN_TEST_VAULT"]

/// Waits long, because a busy machine is no service that is away.
private func open(
    _ key: String,
    at url: String,
    _ variables: [String: String] = ["VAULT_TOKEN": "root-token"]
) async throws -> VaultKeyProvider {
    let settings = Settings(variables.merging(["VAULT_ADDR": url]) { own, _ in own })
    let effects = Effects(
        now: { Timestamp(seconds: Int64(Date().timeIntervalSince1970)) },
        randomBytes: { Random.bytes($0) }
    )
    let access = try VaultAccess(
        VaultConfiguration(settings: settings),
        client: makeClient(),
        effects: effects
    )
    return try await VaultKeyProvider.open(
        try #require(VaultKey(key)),
        in: access,
        patience: KeyServicePatience(.seconds(30))
    )
}

@Suite(
    "A master key in Vault, as a service plays it that hvac takes for the real one",
    .enabled(if: service != nil, "CAIRN_TEST_VAULT is not set: start it with ./dev services start")
)
struct VaultServiceTests {
    private let url: String
    private let id = "key-\(Hex.encode(Random.bytes(6)))"

    init() throws {
        url = try #require(service)
    }

    private var name: String { "transit/keys/\(id)" }

    private func change(_ what: String) async throws {
        let request = TransferRequest("POST", "\(url)/test/\(what)", body: [])
        let response = try await Transfers().perform(request.patient)
        try #require(response.status == 200)
    }

    @Test("does what every master key does")
    func conforms() async throws {
        try await change("rotate/\(id)")

        let provider = try await open(name, at: url)

        #expect(provider.currentVersion.hasPrefix("vault:") && provider.currentVersion.hasSuffix("/1"))
        try await KeyProviderConformance(provider: provider).run()
    }

    @Test("wraps with the newest version, and opens what older ones have wrapped until they are shut out")
    func rotates() async throws {
        try await change("rotate/\(id)")
        let provider = try await open(name, at: url)
        let (key, wrapped) = try await provider.makeKey(context: [1])

        try await change("rotate/\(id)")
        let later = try await provider.makeKey(context: [1]).wrapped
        let opened = try await provider.unwrap(wrapped, context: [1])
        try await change("least/\(id)/2")
        let refused = await #expect(throws: ServiceError.self) { try await provider.unwrap(wrapped, context: [1]) }

        #expect(later.version.hasSuffix("/2"))
        #expect(provider.currentVersion == later.version)
        #expect(ConstantTime.equal(opened, key))
        #expect(refused?.code == .unavailable)
        #expect(refused?.message.contains("min_decryption_version") == true)
    }

    @Test("does not open what another key has wrapped")
    func otherKey() async throws {
        try await change("rotate/\(id)")
        try await change("rotate/\(id)-other")
        let provider = try await open(name, at: url)
        let wrapped = try await open("\(name)-other", at: url).makeKey(context: [1]).wrapped

        let missing = await #expect(throws: ServiceError.self) { try await provider.unwrap(wrapped, context: [1]) }
        let substituted = WrappedKey(version: provider.currentVersion, bytes: wrapped.bytes)
        let damaged = await #expect(throws: ServiceError.self) { try await provider.unwrap(substituted, context: [1]) }

        #expect(missing?.code == .notFound)
        #expect(damaged?.code == .damaged)
    }

    @Test("that cannot be used is refused at the start, with the reason")
    func refuses() async throws {
        func message(_ key: String? = nil, _ variables: [String: String] = ["VAULT_TOKEN": "root-token"]) async
            -> String
        {
            let error = await #expect(throws: ServiceError.self) { try await open(key ?? name, at: url, variables) }
            #expect(error?.code == .unavailable)
            return error?.message ?? ""
        }

        #expect(await message().contains("\(name) of Vault at \(url) does not exist"))
        try await change("kind/\(id)/rsa-2048")
        #expect(await message().contains("not supported for key type rsa-2048"))
        #expect(await message("elsewhere/keys/\(id)").contains("there is no transit engine at elsewhere/"))
        try await change("rotate/\(id)-good")
        for action in ["encrypt", "decrypt"] {
            let token = "\(id)-\(action)"
            try await change("token/\(token)/60/renewable/0/\(action)")
            let text = await message("\(name)-good", ["VAULT_TOKEN": token])
            #expect(text.contains("lacks update on transit/\(action)/\(id)-good"), "\(text)")
        }
        #expect(await message(nil, ["VAULT_TOKEN": "unknown"]).contains("does not know VAULT_TOKEN: permission denied"))
        let role = ["CAIRN_VAULT_ROLE_ID": "the-role", "CAIRN_VAULT_SECRET_ID": "wrong"]
        #expect(await message(nil, role).contains("refuses the login at auth/approle: invalid role or secret ID"))
    }

    @Test("is used by whoever logs in by AppRole, and with a token that somebody else renews in a file")
    func logins() async throws {
        try await change("rotate/\(id)")
        let file = NSTemporaryDirectory() + "cairn-vault-\(id)"
        try "root-token\n".write(toFile: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: file) }

        let byRole = try await open(
            name,
            at: url,
            ["CAIRN_VAULT_ROLE_ID": "the-role", "CAIRN_VAULT_SECRET_ID": "the-secret"]
        )
        let byFile = try await open(name, at: url, ["CAIRN_VAULT_TOKEN_FILE": file])

        let (key, wrapped) = try await byRole.makeKey(context: [1])
        #expect(ConstantTime.equal(try await byFile.unwrap(wrapped, context: [1]), key))
    }
}

@Suite("A master key in Vault")
struct VaultKeyProviderTests {
    @Test("has a name with the mount before it", arguments: ["transit/keys/a", "team/one/transit/keys/a.b-c_d"])
    func names(text: String) {
        #expect(VaultKey(text)?.description == text)
    }

    @Test(
        "has no other name",
        arguments: ["a", "keys/a", "/keys/a", "transit/keys/", "transit/keys/../a", "t/keys/a?b", "transit/key/a"]
    )
    func wrongNames(text: String) {
        #expect(VaultKey(text) == nil)
    }

    @Test(
        "says what is denied",
        arguments: [
            (503, #"{"errors":["Vault is sealed"]}"#, "cannot be used now: Vault is sealed"),
            (429, #"{"errors":[]}"#, "too many requests"), (403, #"{"errors":["1 error"]}"#, "its policy lacks update"),
            (418, "tea", "encrypt fails: status 418"), (200, "{}", "encrypt fails: status 200"),
            (200, #"{"data":{"ciphertext":"vault:v0:AAAA"}}"#, "without a wrapped key"),
            (200, #"{"data":{"ciphertext":"vault:v1:***"}}"#, "without a wrapped key"),
        ]
    )
    func refusals(status: Int, body: String, text: String) async throws {
        let token = #"{"data":{"ttl":0,"renewable":false}}"#
        try await ScriptedServer.run(
            headers: ["X-Vault-Token", "X-Vault-Namespace"],
            answer: { call in
                call.target.hasSuffix("lookup-self") ? .init(body: token) : .init(status: status, body: body).lasting
            }
        ) { server in
            let error = await #expect(throws: ServiceError.self) {
                try await open(
                    "transit/keys/key",
                    at: server.url,
                    ["VAULT_TOKEN": "the-token", "VAULT_NAMESPACE": "team/one"]
                )
            }

            #expect(error?.code == .unavailable)
            #expect(error?.message.contains(text) == true, "\(error?.message ?? "")")
            #expect(server.calls.last?.target == "/v1/transit/encrypt/key")
            #expect(server.calls.last?.headers == ["X-Vault-Token": "the-token", "X-Vault-Namespace": "team/one"])
        }
    }

    @Test("is not used in a Vault that ignores what a data key is for")
    func ignoresData() async throws {
        let plaintext = Locked("")
        try await ScriptedServer.run(
            answer: { call in
                switch call.target {
                case "/v1/auth/token/lookup-self": return .init(body: #"{"data":{"ttl":0,"renewable":false}}"#)
                case "/v1/transit/encrypt/key":
                    plaintext.withLock { $0 = call.body.split(separator: "\"").map(String.init)[3] }
                    return .init(body: #"{"data":{"ciphertext":"vault:v1:AAAA"}}"#)
                default: return .init(body: #"{"data":{"plaintext":"\#(plaintext.withLock { $0 })"}}"#)
                }
            }
        ) { server in
            let error = await #expect(throws: ServiceError.self) { try await open("transit/keys/key", at: server.url) }

            #expect(error?.message.contains("is older than 1.9 and ignores associated data") == true)
        }
    }
}
