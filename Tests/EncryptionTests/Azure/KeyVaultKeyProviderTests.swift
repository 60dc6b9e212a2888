import CloudAccess
import Contract
import Crypto
import Encryption
import Foundation
import Kernel
import ServiceTestKit
import Testing
import Transfers

private let vault = ProcessInfo.processInfo.environment["CAIRN_TEST_AZUREVAULT"]

/// A moment that a test moves.
private final class Moment: Sendable {
    private let offset = Locked(Duration.zero)

    func move(by duration: Duration) { offset.withLock { $0 += duration } }

    var effects: Effects {
        Effects(
            now: { Timestamp(seconds: Int64(Date().timeIntervalSince1970)).advanced(by: self.offset.withLock { $0 }) },
            randomBytes: { Random.bytes($0) }
        )
    }
}

/// Waits long, because a busy machine is no service that is away.
private func open(
    _ key: String,
    at url: String,
    version: String? = nil,
    tokensFrom tokens: String? = nil,
    patience: KeyServicePatience = KeyServicePatience(.seconds(30)),
    _ moment: Moment = Moment()
) async throws -> KeyVaultKeyProvider {
    let azure = try AzureConfiguration(settings: Settings(["AZURE_POD_IDENTITY_AUTHORITY_HOST": tokens ?? url]))
    return try await KeyVaultKeyProvider.open(
        url,
        key: key,
        version: version,
        credential: AzureCredential(azure, client: makeClient(), effects: Moment().effects),
        client: makeClient(),
        effects: moment.effects,
        patience: patience
    )
}

@Suite(
    "A master key in Azure Key Vault, as a service plays it that the vendor's libraries take for the real one",
    .serialized,
    .enabled(if: vault != nil, "CAIRN_TEST_AZUREVAULT is not set: start it with ./dev services start")
)
struct KeyVaultServiceTests {
    private let url: String
    private let name = "key-\(Hex.encode(Random.bytes(6)))"

    init() throws {
        url = try #require(vault)
    }

    /// Calls what the server itself never calls, and gives the answer.
    @discardableResult
    private func call(_ method: String, _ path: String, _ body: String? = nil) async throws -> JSONObject {
        let azure = try AzureConfiguration(settings: Settings(["AZURE_POD_IDENTITY_AUTHORITY_HOST": url]))
        let credential = AzureCredential(azure, client: try makeClient(), effects: Moment().effects)
        let token = try await credential.token(for: url)
        let request = TransferRequest(
            method,
            "\(url)/keys/\(path)?api-version=7.4",
            headers: [("Authorization", "Bearer \(token.reveal())"), ("Content-Type", "application/json")],
            body: body.map { Array($0.utf8) }
        )
        let response = try await Transfers().perform(request.patient)
        try #require(response.status == 200, "\(String(decoding: response.body, as: UTF8.self))")
        guard case .object(let object) = try JSONValue.parse(response.body) else { throw CancellationError() }
        return object
    }

    /// Makes a key, or another version of it, and gives its version.
    @discardableResult
    private func makeKey(_ options: String = #""kty":"RSA","key_size":2048"#) async throws -> String {
        let answer = try await call("POST", "\(name)/create", "{\(options)}")
        guard case .object(let key)? = answer["key"], case .string(let id)? = key["kid"] else {
            throw CancellationError()
        }
        return String(try #require(id.split(separator: "/").last))
    }

    private func message(version: String? = nil) async -> String {
        let error = await #expect(throws: ServiceError.self) { try await open(name, at: url, version: version) }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains(name) == true)
        return error?.message ?? ""
    }

    @Test("does what every master key does")
    func conforms() async throws {
        let version = try await makeKey()

        let provider = try await open(name, at: url)

        #expect(provider.currentVersion == "azure:\(version)")
        try await KeyProviderConformance(provider: provider).run()
    }

    @Test("wraps with larger keys, too")
    func larger() async throws {
        try await makeKey(#""kty":"RSA-HSM","key_size":3072"#)

        try await KeyProviderConformance(provider: open(name, at: url)).run()
    }

    @Test("wraps with the newest version after a while, and opens what older ones have wrapped")
    func rotates() async throws {
        let old = try await makeKey()
        let moment = Moment()
        let provider = try await open(name, at: url, moment)
        let (key, wrapped) = try await provider.makeKey(context: [1])
        let new = try await makeKey()

        #expect(try await provider.makeKey(context: [1]).wrapped.version == "azure:\(old)")
        moment.move(by: .seconds(2 * 3600 + 60))
        let later = try await provider.makeKey(context: [1]).wrapped

        #expect(later.version == "azure:\(new)")
        #expect(provider.currentVersion == "azure:\(new)")
        #expect(ConstantTime.equal(try await provider.unwrap(wrapped, context: [1]), key))
        let pinned = try await open(name, at: url, version: old)
        #expect(pinned.currentVersion == "azure:\(old)")
        let substituted = WrappedKey(version: later.version, bytes: wrapped.bytes)
        let error = await #expect(throws: ServiceError.self) { try await provider.unwrap(substituted, context: [1]) }
        #expect(error?.code == .damaged)
    }

    @Test("names the older version that was disabled, and opens again when it is enabled")
    func disabledVersion() async throws {
        let old = try await makeKey()
        let provider = try await open(name, at: url)
        let (key, wrapped) = try await provider.makeKey(context: [1])
        try await makeKey()
        try await call("PATCH", "\(name)/\(old)", #"{"attributes":{"enabled":false}}"#)

        let error = await #expect(throws: ServiceError.self) { try await provider.unwrap(wrapped, context: [1]) }
        try await call("PATCH", "\(name)/\(old)", #"{"attributes":{"enabled":true}}"#)

        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("version \(old), of Azure Key Vault at \(url) is disabled") == true)
        #expect(ConstantTime.equal(try await provider.unwrap(wrapped, context: [1]), key))
    }

    @Test("that cannot be used is refused at the start, with the reason")
    func refuses() async throws {
        #expect(await message().contains("does not exist"))
        try await makeKey(#""kty":"EC""#)
        #expect(await message().contains("of the type EC; it must be an RSA key"))
        try await makeKey(#""kty":"RSA","key_size":1024"#)
        #expect(await message().contains("2048 bits"))
        try await makeKey(#""kty":"RSA","key_ops":["sign","verify","encrypt"]"#)
        #expect(await message().contains("is not permitted to decrypt"))
        try await makeKey(#""kty":"RSA","key_ops":["sign"]"#)
        #expect(await message().contains("is not permitted to encrypt and to decrypt"))
        let version = try await makeKey()
        try await call("PATCH", "\(name)/\(version)", #"{"attributes":{"enabled":false}}"#)
        #expect(await message().contains("is disabled"))
        #expect(await message(version: String(repeating: "0", count: 32)).contains("does not exist"))
    }

    @Test("that was deleted opens nothing")
    func deleted() async throws {
        try await makeKey()
        let provider = try await open(name, at: url)
        let wrapped = try await provider.makeKey(context: [1]).wrapped
        try await call("DELETE", name)

        let error = await #expect(throws: ServiceError.self) { try await provider.unwrap(wrapped, context: [1]) }

        #expect(error?.code == .notFound)
        #expect(error?.message.contains("can be recovered") == true)
    }
}

@Suite("A master key in Azure Key Vault")
struct KeyVaultKeyProviderTests {
    private static let token = #"{"expires_in":"3600","access_token":"the-token"}"#

    @Test(
        "gets no token for another domain than its own",
        arguments: ["https://storage.azure.com", "https://127.0.0.1.example", "https://0.0.1.evil", "nonsense", ""]
    )
    func foreignChallenge(resource: String) async throws {
        try await ScriptedServer.run(answer: { _ in .init(body: Self.token) }) { tokens in
            try await ScriptedServer.run(
                headers: ["Authorization"],
                answer: { _ in
                    var answer = ScriptedServer.Answer(status: 401, body: "{}")
                    answer.headers = [
                        ("WWW-Authenticate", #"Bearer authorization="https://x", resource="\#(resource)""#)
                    ]
                    return answer
                }
            ) { server in
                let error = await #expect(throws: ServiceError.self) {
                    try await open("key", at: server.url, tokensFrom: tokens.url)
                }

                #expect(error?.code == .unavailable)
                #expect(server.calls.allSatisfy { $0.headers.isEmpty })
                #expect(tokens.calls.isEmpty)
            }
        }
    }

    @Test(
        "says what is denied",
        arguments: [
            (
                403, #"{"error":{"code":"Forbidden","message":"no","innererror":{"code":"AccessDenied"}}}"#,
                "may not use keys/get"
            ),
            (429, #"{"error":{"code":"Throttled","message":"slow"}}"#, "too many requests"),
            (
                500, #"{"error":{"code":"InternalServerError","message":"x"}}"#,
                "get fails: status 500, InternalServerError"
            ),
            (200, "[]", "the answer is no JSON object"), (200, "{}", "a way that is not known"),
        ]
    )
    func refusals(status: Int, body: String, text: String) async throws {
        try await ScriptedServer.run(answer: { _ in .init(status: status, body: body).lasting }) { server in
            let error = await #expect(throws: ServiceError.self) {
                try await open("key", at: server.url)
            }

            #expect(error?.code == .unavailable)
            #expect(error?.message.contains(text) == true, "\(error?.message ?? "")")
        }
    }

    @Test("that is away is missed with its address")
    func away() async throws {
        let error = await #expect(throws: ServiceError.self) {
            try await open("key", at: "http://127.0.0.1:1", patience: .standard)
        }

        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("Azure Key Vault at http://127.0.0.1:1 ") == true)
    }
}
