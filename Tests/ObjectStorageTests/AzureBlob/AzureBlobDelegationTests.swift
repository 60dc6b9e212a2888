import CloudAccess
import Crypto
import Foundation
import Kernel
import ObjectStorage
import OutboundHTTP
import ServiceTestKit
import Testing

/// A container that a test plays, whose clock and whose answer to "Get User Delegation Key" it decides.
private final class PlayedContainer: Sendable {
    struct State {
        var now = Timestamp(seconds: 1_900_000_000)
        /// What a request for a key is answered with; nil for a key.
        var answer: ScriptedServer.Answer?
        var life: Duration?
        var stored: [String: String] = [:]
    }

    let state = Locked(State())
    private static let path = "/cairntest/?restype=service&comp=userdelegationkey"

    /// Runs `body` with an open store.
    ///
    /// - Parameter leastAttempt: as `makeClient` has it.
    func run(
        _ token: String = "test-token",
        leastAttempt: Duration = .seconds(30),
        _ body: (BucketObjectStore, ScriptedServer) async throws -> Void
    ) async throws {
        let headers = ["Authorization", "x-ms-version", "If-None-Match"]
        try await ScriptedServer.run(headers: headers, answer: { self.answer($0) }) { server in
            let domain = server.url.replacing("http://", with: "")
            let location = try AzureBlobLocation(
                "azblob://states?protocol=http&domain=\(domain)",
                account: AzureBlobLocation.Account(settings: Settings(["AZURE_STORAGE_ACCOUNT": "cairntest"]))
            )
            let store = try await AzureBlobObjectStore.open(
                location,
                .token { Redacted(token) },
                client: makeClient(leastAttempt: leastAttempt),
                effects: Effects(
                    now: { self.state.withLock { $0.now } },
                    randomBytes: { [UInt8](repeating: 0, count: $0) }
                )
            )
            try await body(store, server)
        }
    }

    func move(by duration: Duration) { state.withLock { $0.now = $0.now.advanced(by: duration) } }

    /// The bodies of all requests for a key.
    static func asked(_ server: ScriptedServer) -> [ScriptedServer.Call] {
        server.calls.filter { $0.method == "POST" && $0.target == path }
    }

    private func answer(_ call: ScriptedServer.Call) -> ScriptedServer.Answer {
        state.withLock { state in
            if call.target == Self.path {
                if let answer = state.answer { return answer }
                let end = Self.text("Expiry", call.body)
                let ends = state.life.map { state.now.advanced(by: $0).rfc3339 } ?? end
                return .init(
                    body: "<UserDelegationKey><SignedOid>o</SignedOid><SignedTid>t</SignedTid><SignedStart>"
                        + "\(Self.text("Start", call.body))</SignedStart><SignedExpiry>\(ends)</SignedExpiry>"
                        + "<SignedService>b</SignedService><SignedVersion>2020-10-02</SignedVersion>"
                        + "<Value>a2V5</Value></UserDelegationKey>"
                )
            }
            return Self.blob(call, &state.stored)
        }
    }

    /// As much of a container as the start tries.
    private static func blob(_ call: ScriptedServer.Call, _ stored: inout [String: String]) -> ScriptedServer.Answer {
        let missing = ScriptedServer.Answer(status: 404, body: "<Error><Code>BlobNotFound</Code></Error>")
        switch call.method {
        case "GET" where call.target.contains("comp=list"):
            return .init(body: "<EnumerationResults><Blobs/></EnumerationResults>")
        case "PUT":
            if stored[call.target] != nil, call.headers["If-None-Match"] != nil {
                return .init(status: 409, body: "<Error><Code>BlobAlreadyExists</Code></Error>")
            }
            stored[call.target] = call.body
            return .init(status: 201)
        case "DELETE":
            return stored.removeValue(forKey: call.target) == nil ? missing : .init(status: 202)
        default:
            return stored[call.target].map { .init(body: $0) } ?? missing
        }
    }

    private static func text(_ element: String, _ body: String) -> String {
        let begin = body.firstRange(of: "<\(element)>")?.upperBound ?? body.endIndex
        return String(body[begin...].prefix { $0 != "<" })
    }
}

@Suite("Keys with which an identity signs URLs of Azure Blob Storage")
struct AzureBlobDelegationTests {
    private let container = PlayedContainer()
    private let key = ObjectFolder("things").content(SHA256.hash([1]))

    private func sign(_ store: BucketObjectStore, for life: Duration = .seconds(60)) async throws -> [String: String] {
        let signed = try #require(try await store.signedURL(to: .get, key, for: life))
        let items = URLComponents(string: signed.url.reveal())?.queryItems ?? []
        return Dictionary(uniqueKeysWithValues: items.map { ($0.name, $0.value ?? "") })
    }

    @Test("are asked for with the first URL, for a day and a half, and serve all of them")
    func asks() async throws {
        try await container.run { store, server in
            #expect(PlayedContainer.asked(server).isEmpty)

            let first = try await sign(store)
            let second = try await sign(store, for: SignedURL.longestLife)

            let asked = PlayedContainer.asked(server)
            try #require(asked.count == 1)
            #expect(asked[0].headers == ["Authorization": "Bearer test-token", "x-ms-version": "2020-10-02"])
            #expect(
                asked[0].body.hasSuffix(
                    "<KeyInfo><Start>2030-03-17T17:31:40Z</Start><Expiry>2030-03-19T05:46:40Z</Expiry></KeyInfo>"
                )
            )
            #expect(first["skt"] == "2030-03-17T17:31:40Z" && first["ske"] == "2030-03-19T05:46:40Z")
            #expect(first["se"] == "2030-03-17T17:47:40Z" && second["se"] == "2030-03-18T05:46:40Z")
        }
    }

    @Test("are asked for anew before a URL outlives them, and serve meanwhile when there is no new one")
    func renews() async throws {
        try await container.run { store, server in
            let first = try await sign(store)

            container.move(by: .seconds(17 * 3600))
            #expect(try await sign(store)["ske"] == first["ske"])
            container.state.withLock { $0.answer = .init(status: 404) }
            container.move(by: .seconds(6 * 3600))
            #expect(try await sign(store)["ske"] == first["ske"])
            let late = try await sign(store, for: SignedURL.longestLife)
            #expect(late["se"] ?? "" <= late["ske"] ?? "")
            container.move(by: .seconds(3600))
            await #expect(throws: ServiceError.self) { try await sign(store) }
            container.state.withLock { $0.answer = nil }
            let next = try await sign(store, for: SignedURL.longestLife)

            #expect(next["ske"] == "2030-03-20T05:46:40Z")
            #expect(next["se"] ?? "" <= next["ske"] ?? "")
            #expect(PlayedContainer.asked(server).count == 4)
        }
    }

    @Test("that end sooner than asked for are not used for URLs that they do not outlive")
    func shortKeys() async throws {
        container.state.withLock { $0.life = SignedURL.longestLife }
        try await container.run { store, _ in
            let error = await #expect(throws: ServiceError.self) { try await sign(store) }

            #expect(error?.code == .unavailable)
        }
    }

    @Test(
        "are missed with what the operator can do",
        arguments: [
            (403, "AuthorizationPermissionMismatch", "'Storage Blob Delegator'"),
            (403, "AuthorizationFailure", "generateUserDelegationKey"), (403, "", "'Storage Blob Delegator'"),
            (403, "AuthenticationFailed", "clock"), (400, "InvalidXmlNodeValue", "InvalidXmlNodeValue"),
            (409, "AccountIsDisabled", "the account is disabled"),
        ]
    )
    func refusals(status: Int, code: String, words: String) async throws {
        let body = "<Error><Code>\(code)</Code><Message>No.\nRequestId:1</Message></Error>"
        container.state.withLock { $0.answer = .init(status: status, body: body) }
        try await container.run { store, _ in
            let error = await #expect(throws: ServiceError.self) { try await sign(store) }

            #expect(error?.code == .unavailable)
            let message = error?.message ?? ""
            #expect(message.contains(words) && message.contains("URLs cannot be signed"), "\(message)")
            #expect(message.contains("azblob://states of cairntest") && !message.contains("test-token"), "\(message)")
        }
    }

    @Test("that cannot be read are none", arguments: ["", "<UserDelegationKey/>", "<UserDelegationKey>", "{}"])
    func garbage(body: String) async throws {
        container.state.withLock { $0.answer = .init(body: body) }
        try await container.run { store, _ in
            let error = await #expect(throws: ServiceError.self) { try await sign(store) }

            #expect(error?.message.contains("cannot be read") == true, "\(error?.message ?? "")")
        }
    }

    @Test("are given up in time where the service fails, and where it says nothing", arguments: [false, true])
    func outage(isSilent: Bool) async throws {
        container.state.withLock { state in
            var answer = ScriptedServer.Answer(status: 503)
            if isSilent { answer.pause = .seconds(600) }
            state.answer = answer
        }
        try await container.run(leastAttempt: .zero) { store, server in
            let began = ContinuousClock.now

            let error = await #expect(throws: ServiceError.self) { try await sign(store) }

            #expect(error?.code == .unavailable)
            #expect(!PlayedContainer.asked(server).isEmpty)
            // A bucket is waited for 20 s; by itself, an answer may take 60 s.
            #expect(began.duration(to: .now) < .seconds(50))
        }
    }
}
