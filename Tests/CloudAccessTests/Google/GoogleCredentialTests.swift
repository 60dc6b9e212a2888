import CloudAccess
import Crypto
import Foundation
import Kernel
import ServiceTestKit
import Testing

@Suite("Tokens of Google Cloud")
final class GoogleCredentialTests: Sendable {
    private let files: TemporaryFiles
    private let time = Locked(Timestamp(seconds: 1_900_000_000))

    init() throws {
        files = try TemporaryFiles()
    }

    private func credential(_ environment: [String: String]) throws -> GoogleCredential {
        try GoogleCredential(
            GoogleConfiguration(settings: Settings(environment)),
            client: makeClient(),
            effects: Effects(
                now: { self.time.withLock { $0 } },
                randomBytes: { [UInt8](repeating: 7, count: $0) }
            )
        )
    }

    private static let answer = #"{"access_token":"the-token","expires_in":3599,"token_type":"Bearer"}"#

    /// Runs openssl and gives what it prints; on a thread of its own, since a task that blocks holds up those of others.
    private func openssl(_ arguments: [String]) async throws -> String {
        try await Self.programs.run(deadline: .seconds(60)) { try Self.runOpenSSL(arguments) }
    }

    private static let programs = BlockingPool(name: "openssl", threads: 1, queue: 16)

    private static func runOpenSSL(_ arguments: [String]) throws -> String {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: bytes, as: UTF8.self)
    }

    private func account(key: String, url: String, type: String = "service_account") throws -> String {
        let key = key.replacing("\n", with: "\\n")
        return try files.write(
            "account.json",
            """
            {"type": "\(type)", "private_key_id": "id-1", "private_key": "\(key)", "client_email": "cairn@x.example",
             "token_uri": "\(url)"}
            """
        )
    }

    @Test("of a service account are asked for with a statement that openssl finds signed by its key")
    func serviceAccount() async throws {
        let pem = try await openssl(["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"])
        try await ScriptedServer.run(answer: { _ in .init(body: Self.answer) }) { server in
            let file = try account(key: pem, url: "\(server.url)/token")
            let credential = try credential(["GOOGLE_APPLICATION_CREDENTIALS": file])

            #expect(try await credential.token().reveal() == "the-token")
            #expect(try await credential.token().reveal() == "the-token")

            let calls = server.calls
            #expect(calls.count == 1)
            let start = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion="
            #expect(calls[0].method == "POST" && calls[0].target == "/token")
            #expect(calls[0].body.hasPrefix(start))
            let parts = calls[0].body.dropFirst(start.count).split(separator: ".").map { String($0) }
            try #require(parts.count == 3)
            let texts = parts.prefix(2).map { String(decoding: Base64.decode($0, .url) ?? [], as: UTF8.self) }
            #expect(texts[0] == #"{"alg":"RS256","typ":"JWT","kid":"id-1"}"#)
            #expect(
                texts[1]
                    == #"{"iss":"cairn@x.example","scope":"https://www.googleapis.com/auth/cloud-platform","#
                    + #""aud":"\#(server.url)/token","iat":1900000000,"exp":1900003600}"#
            )
            let key = try files.write("key.pem", pem)
            let message = try files.write("message", "\(parts[0]).\(parts[1])")
            let signature = "\(files.path)/signature"
            try Data(Base64.decode(parts[2], .url) ?? []).write(to: URL(fileURLWithPath: signature))
            let verdict = try await openssl(["dgst", "-sha256", "-prverify", key, "-signature", signature, message])
            #expect(verdict == "Verified OK\n")
        }
    }

    @Test("come from the machine where no account is set")
    func machine() async throws {
        try await ScriptedServer.run(headers: ["Metadata-Flavor"], answer: { _ in .init(body: Self.answer) }) {
            server in
            let credential = try credential(["GCE_METADATA_HOST": server.url.replacing("http://", with: "")])

            #expect(try await credential.token().reveal() == "the-token")
            time.withLock { $0 = $0.advanced(by: .seconds(3500)) }
            _ = try await credential.token()

            let calls = Set(server.calls.map(\.target))
            #expect(calls == ["/computeMetadata/v1/instance/service-accounts/default/token"])
            #expect(server.calls.count >= 2)
            #expect(server.calls.allSatisfy { $0.headers == ["Metadata-Flavor": "Google"] })
        }
    }

    @Test(
        "are missed with what the service says",
        arguments: [
            (
                400, #"{"error":"invalid_grant","error_description":"Invalid JWT Signature."}"#,
                "invalid_grant: Invalid JWT"
            ),
            (404, "gone", "status 404"), (200, "[]", "without a token"),
            (200, #"{"access_token":"hidden"}"#, "its life"),
            (200, #"{"access_token":"hidden","expires_in":-1}"#, "its life"),
        ]
    )
    func refusals(status: Int, body: String, text: String) async throws {
        try await ScriptedServer.run(answer: { _ in .init(status: status, body: body) }) { server in
            let credential = try credential(["GCE_METADATA_HOST": server.url.replacing("http://", with: "")])

            let error = await #expect(throws: ServiceError.self) { try await credential.token() }

            #expect(error?.code == .unavailable)
            #expect(error?.message.contains(text) == true, "\(error?.message ?? "")")
            #expect(error?.message.contains("hidden") == false)
        }
    }

    @Test("need a file of a service account with a key, and show nothing of another")
    func badFiles() async throws {
        let pem = try await openssl(["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"])
        let cases = [
            ("\(files.path)/none", "No such file"), (try files.write("a", "hidden"), "is no JSON object"),
            (try files.write("b", #"{"type":"external_account"}"#), "of the type 'external_account'"),
            (try files.write("c", #"{"type":"service_account"}"#), "lacks one of"),
        ]
        for (path, text) in cases { expectRefused(path, text) }
        expectRefused(try account(key: "hidden", url: "https://x/token"), "is no RSA key")
        expectRefused(try account(key: pem, url: "https://x/token"), "is no RSA key")
        expectRefused(try account(key: "hidden", url: "http://x.example/token"), "is no https URL")
    }

    private func expectRefused(_ path: String, _ text: String) {
        let error = #expect(throws: ConfigurationError.self) {
            try credential(["GOOGLE_APPLICATION_CREDENTIALS": path])
        }
        #expect(error?.problems.map(\.setting) == ["GOOGLE_APPLICATION_CREDENTIALS"])
        #expect(error?.description.contains(text) == true, "\(error?.description ?? "")")
        #expect(error?.description.contains("hidden") == false)
    }
}
