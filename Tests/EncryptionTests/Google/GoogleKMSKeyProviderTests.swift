import CloudAccess
import Crypto
import Encryption
import Foundation
import Kernel
import ServiceTestKit
import Testing
import Transfers

private let service = ProcessInfo.processInfo.environment["CAIRN_TEST_GOOGLEKMS"]
private let folder = "projects/test-project/locations/global/keyRings/cairn/cryptoKeys/"

/// Waits long, because a busy machine is no service that is away.
private func open(
    _ key: String,
    at url: String,
    tokensFrom tokens: String? = nil
) async throws -> GoogleKMSKeyProvider {
    let host = (tokens ?? url).replacing("http://", with: "")
    let effects = Effects(
        now: { Timestamp(seconds: Int64(Date().timeIntervalSince1970)) },
        randomBytes: { Random.bytes($0) }
    )
    return try await GoogleKMSKeyProvider.open(
        key,
        at: try #require(ServiceAddress(url)),
        credential: GoogleCredential(
            GoogleConfiguration(settings: Settings(["GCE_METADATA_HOST": host])),
            client: makeClient(),
            effects: effects
        ),
        client: makeClient(),
        patience: KeyServicePatience(.seconds(30))
    )
}

@Suite(
    "A master key in Cloud KMS, as a service plays it that the vendor's libraries take for the real one",
    .enabled(if: service != nil, "CAIRN_TEST_GOOGLEKMS is not set: start it with ./dev services start")
)
struct GoogleKMSServiceTests {
    private let url: String
    private let id = "key-\(Hex.encode(Random.bytes(6)))"

    init() throws {
        url = try #require(service)
    }

    private var name: String { folder + id }

    private func change(_ what: String) async throws {
        let request = TransferRequest("POST", "\(url)/test/\(what)", body: [])
        let response = try await Transfers().perform(request.patient)
        try #require(response.status == 200)
    }

    @Test("does what every master key does")
    func conforms() async throws {
        try await change("rotate/\(id)")

        let provider = try await open(name, at: url)

        #expect(provider.currentVersion.hasPrefix("google:") && provider.currentVersion.hasSuffix("/1"))
        try await KeyProviderConformance(provider: provider).run()
    }

    @Test("wraps with the newest version, and opens what older ones have wrapped")
    func rotates() async throws {
        try await change("rotate/\(id)")
        let provider = try await open(name, at: url)
        let (key, wrapped) = try await provider.makeKey(context: [1])

        try await change("rotate/\(id)")
        let later = try await provider.makeKey(context: [1]).wrapped

        #expect(later.version.hasSuffix("/2"))
        #expect(provider.currentVersion == later.version)
        #expect(ConstantTime.equal(try await provider.unwrap(wrapped, context: [1]), key))
    }

    @Test("does not open what another key has wrapped")
    func otherKey() async throws {
        try await change("rotate/\(id)")
        try await change("rotate/\(id)-other")
        let provider = try await open(name, at: url)
        let other = try await open("\(name)-other", at: url)
        let wrapped = try await other.makeKey(context: [1]).wrapped

        let missing = await #expect(throws: ServiceError.self) { try await provider.unwrap(wrapped, context: [1]) }
        let substituted = WrappedKey(version: provider.currentVersion, bytes: wrapped.bytes)
        let damaged = await #expect(throws: ServiceError.self) { try await provider.unwrap(substituted, context: [1]) }

        #expect(missing?.code == .notFound)
        #expect(damaged?.code == .damaged)
    }

    @Test("that cannot be used is refused at the start, with the reason")
    func refuses() async throws {
        func message() async -> String {
            let error = await #expect(throws: ServiceError.self) { try await open(name, at: url) }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains(name) == true)
            return error?.message ?? ""
        }

        #expect(await message().contains("does not exist"))
        try await change("rotate/\(id)")
        try await change("enable/\(id)/1/false")
        #expect(await message().contains("is not enabled"))
        try await change("enable/\(id)/1/true")
        try await change("deny/\(id)/encrypt")
        #expect(await message().contains("may not use cloudkms.cryptoKeyVersions.useToEncrypt"))
        try await change("deny/\(id)/decrypt")
        #expect(await message().contains("may not use cloudkms.cryptoKeyVersions.useToDecrypt"))
    }
}

@Suite("A master key in Cloud KMS")
struct GoogleKMSKeyProviderTests {
    @Test(
        "says what is denied",
        arguments: [
            (401, #"{"error":{"status":"UNAUTHENTICATED","message":"no"}}"#, "the token is refused: no"),
            (429, #"{"error":{"status":"RESOURCE_EXHAUSTED","message":"slow"}}"#, "too many requests"),
            (400, #"{"error":{"status":"INVALID_ARGUMENT","message":"bad"}}"#, "encrypt fails: INVALID_ARGUMENT: bad"),
            (418, "tea", "encrypt fails: status 418"), (200, "{}", "without a wrapped key"),
            (200, #"{"name":"projects/other","ciphertext":"AAAA"}"#, "without a wrapped key"),
        ]
    )
    func refusals(status: Int, body: String, text: String) async throws {
        let token = #"{"expires_in":3600,"access_token":"the-token"}"#
        try await ScriptedServer.run(answer: { _ in .init(body: token) }) { tokens in
            try await ScriptedServer.run(
                headers: ["Authorization"],
                answer: { _ in .init(status: status, body: body).lasting }
            ) { server in
                let error = await #expect(throws: ServiceError.self) {
                    try await open(
                        "\(folder)key",
                        at: server.url,
                        tokensFrom: tokens.url
                    )
                }

                #expect(error?.code == .unavailable)
                #expect(error?.message.contains(text) == true, "\(error?.message ?? "")")
                #expect(server.calls.first?.target == "/v1/\(folder)key:encrypt")
                #expect(server.calls.first?.headers == ["Authorization": "Bearer the-token"])
            }
        }
    }
}
