import CloudAccess
import Crypto
import Foundation
import Kernel
import ServiceTestKit
import Testing

@Suite("URLs that Google signs for the account of a machine")
final class GoogleURLSignerTests: Sendable {
    private struct State {
        var now = Timestamp(seconds: 1_900_000_000)
        var email = ScriptedServer.Answer(body: "cairn@x.iam.gserviceaccount.com")
        var signature = ScriptedServer.Answer(body: #"{"keyId":"1","signedBlob":"AQID"}"#)
    }

    private let state = Locked(State())

    /// Runs `body` with a signer whose machine and whose service the test plays.
    ///
    /// - Parameter leastAttempt: as `makeClient` has it.
    private func run(
        leastAttempt: Duration = .seconds(30),
        _ body: (GoogleURLSigner, ScriptedServer) async throws -> Void
    ) async throws {
        let headers = ["Authorization", "Metadata-Flavor"]
        try await ScriptedServer.run(headers: headers, answer: { self.answer($0) }) { server in
            let settings = Settings([
                "GCE_METADATA_HOST": server.url.replacing("http://", with: ""),
                "CAIRN_GOOGLE_IAM_ENDPOINT": "\(server.url)/iam/",
            ])
            let credential = try GoogleCredential(
                GoogleConfiguration(settings: settings),
                client: makeClient(leastAttempt: leastAttempt),
                effects: Effects(
                    now: { self.state.withLock { $0.now } },
                    randomBytes: { [UInt8](repeating: 0, count: $0) }
                )
            )
            try await body(credential.signer(in: "googleapis.com"), server)
        }
    }

    private func answer(_ call: ScriptedServer.Call) -> ScriptedServer.Answer {
        if call.target.hasSuffix("/token") { return .init(body: #"{"access_token":"the-token","expires_in":3599}"#) }
        return state.withLock { call.target.hasSuffix("/email") ? $0.email : $0.signature }
    }

    @Test("are those that the vendor's library makes of the same answer", arguments: ["GET", "PUT"])
    func vectors(method: String) async throws {
        let data = try Data(contentsOf: URL(filePath: #filePath.replacing(/CloudAccessTests.*/, with: Self.vectors)))
        let vectors = try JSONDecoder().decode([String: String].self, from: data)
        let name = "google \(method.lowercased()) by the service, its "
        let signature = Base64.encode(Array("what Google has signed".utf8))
        state.withLock { state in
            state.now = Timestamp(seconds: 1_893_456_000)
            state.email = .init(body: "machine@test-project.iam.gserviceaccount.com")
            state.signature = .init(body: #"{"keyId":"1","signedBlob":"\#(signature)"}"#)
        }
        try await run { signer, server in
            let url = try await signer.sign(
                method,
                "/states/packs/1f2e/a%20b%2Bc~d_e-f.g",
                at: ServiceAddress(host: "storage.googleapis.com"),
                time: Timestamp(seconds: 1_893_456_000),
                for: .seconds(600)
            )

            #expect(url.reveal() == vectors[name + "url"])
            let call = try #require(server.calls.last)
            let target = call.target.replacing("/iam/", with: "https://iamcredentials.googleapis.com/")
            #expect(call.method == "POST" && "\(target)?alt=json" == vectors[name + "asked"])
            #expect(call.body == #"{"payload":"\#(vectors[name + "body"] ?? "")"}"#)
        }
    }

    /// What `Tests/Counterparts/signed_urls.py` has made.
    private static let vectors = "Counterparts/signed-urls.json"

    private func sign(_ signer: GoogleURLSigner) async throws -> String {
        let now = state.withLock { $0.now }
        let address = ServiceAddress(host: "storage.googleapis.com")
        return try await signer.sign("GET", "/states/a", at: address, time: now, for: .seconds(60)).reveal()
    }

    @Test("are in its name, with what the service has signed, and the name is asked for once in an hour")
    func signs() async throws {
        try await run { signer, server in
            let url = try await sign(signer)
            _ = try await sign(signer)

            #expect(url.contains("X-Goog-Credential=cairn%40x.iam.gserviceaccount.com%2F20300317%2Fauto%2Fstorage"))
            #expect(url.hasSuffix("&X-Goog-Signature=010203"))
            let targets = server.calls.map(\.target)
            let account = "/computeMetadata/v1/instance/service-accounts/default"
            let service = "/iam/v1/projects/-/serviceAccounts/cairn@x.iam.gserviceaccount.com:signBlob"
            #expect(targets == ["\(account)/email", "\(account)/token", service, service])
            #expect(server.calls[0].headers == ["Metadata-Flavor": "Google"])
            #expect(server.calls[3].headers == ["Authorization": "Bearer the-token"])

            state.withLock { state in
                state.now = state.now.advanced(by: .seconds(3600))
                state.email = .init(body: "other@x.iam.gserviceaccount.com")
            }
            #expect(try await sign(signer).contains("other%40x"))
        }
    }

    @Test(
        "are missed with what the operator can do where the service does not sign",
        arguments: [
            (
                403, #"{"error":{"code":403,"message":"Permission denied.","status":"PERMISSION_DENIED"}}"#,
                ["iam.serviceAccounts.signBlob", "iam.serviceAccountTokenCreator", "PERMISSION_DENIED: Permission"]
            ),
            (
                403, #"{"error":{"message":"IAM Service Account Credentials API has not been used in project 1"}}"#,
                ["has not been used in project 1"]
            ),
            (401, #"{"error":{"status":"UNAUTHENTICATED"}}"#, ["does not sign", "401, UNAUTHENTICATED"]),
            (404, "gone", ["does not sign for cairn@x.iam.gserviceaccount.com: status 404"]),
            (200, "{}", ["without a signature"]), (200, "", ["without a signature"]),
            (200, #"{"signedBlob":""}"#, ["without a signature"]),
            (200, #"{"signedBlob":"!"}"#, ["without a signature"]),
        ]
    )
    func refusals(status: Int, body: String, words: [String]) async throws {
        state.withLock { $0.signature = .init(status: status, body: body) }
        try await run { signer, _ in
            let error = await #expect(throws: ServiceError.self) { try await sign(signer) }

            #expect(error?.code == .unavailable)
            for words in words { #expect(error?.message.contains(words) == true, "\(error?.message ?? "")") }
            #expect(error?.message.contains("the-token") == false)
        }
    }

    @Test(
        "are missed where the machine names no account",
        arguments: [
            (404, "gone", "gives none: status 404"), (200, "", "names ''"),
            (200, "project.svc.id.goog", "names 'project.svc.id.goog', which is none"), (200, "a@", "which is none"),
            (200, "a@b@c", "which is none"), (200, "a/../b@c", "which is none"), (200, "a b@c", "which is none"),
        ]
    )
    func nameless(status: Int, body: String, words: String) async throws {
        state.withLock { $0.email = .init(status: status, body: body) }
        try await run { signer, server in
            let error = await #expect(throws: ServiceError.self) { try await sign(signer) }

            #expect(error?.code == .unavailable)
            #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
            #expect(server.calls.count == 1)
        }
    }

    @Test("are given up soon where the service fails, and where it says nothing", arguments: [false, true])
    func outage(isSilent: Bool) async throws {
        try await run(leastAttempt: .zero) { signer, _ in
            // The name and the token come before; on a busy machine not with the first attempt.
            var tries = 0
            while (try? await sign(signer)) == nil, tries < 20 { tries += 1 }
            state.withLock { state in
                state.signature = .init(status: 503)
                if isSilent { state.signature.pause = .seconds(600) }
            }
            let began = ContinuousClock.now

            let error = await #expect(throws: ServiceError.self) { try await sign(signer) }

            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("IAM Credentials") == true, "\(error?.message ?? "")")
            #expect(began.duration(to: .now) < .seconds(20))
        }
    }

    @Test(
        "come from an https address, or from this machine",
        arguments: [
            ("https://iamcredentials-x.p.googleapis.com", true), ("http://127.0.0.1:1", true),
            ("http://iam.example", false), ("https://iam.example/?a=b", false), ("ftp://iam.example", false),
            ("iam.example", false),
        ]
    )
    func endpoints(url: String, isGood: Bool) throws {
        let settings = Settings(["CAIRN_GOOGLE_IAM_ENDPOINT": url])
        if isGood {
            #expect(try GoogleConfiguration(settings: settings).iam?.url == url)
        } else {
            let error = #expect(throws: ConfigurationError.self) { try GoogleConfiguration(settings: settings) }
            #expect(error?.problems.map(\.setting) == ["CAIRN_GOOGLE_IAM_ENDPOINT"])
        }
    }

    @Test("come from the vendor's address in the universe of the bucket where no other is set")
    func noEndpoint() async throws {
        try await ScriptedServer.run(answer: { self.answer($0) }) { server in
            let settings = Settings(["GCE_METADATA_HOST": server.url.replacing("http://", with: "")])
            let credential = try GoogleCredential(
                GoogleConfiguration(settings: settings),
                client: makeClient(),
                effects: Effects(
                    now: { self.state.withLock { $0.now } },
                    randomBytes: { [UInt8](repeating: 0, count: $0) }
                )
            )

            // No name below it leads anywhere (RFC 6761).
            let error = await #expect(throws: ServiceError.self) {
                try await sign(credential.signer(in: "cloud.invalid"))
            }

            let words = "https://iamcredentials.cloud.invalid cannot be reached"
            #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
        }
    }
}
