import CloudAccess
import Foundation
import Kernel
import ServiceTestKit
import Testing

@Suite("Keys of AWS")
final class AWSCredentialSourceTests: Sendable {
    private let files: TemporaryFiles
    private let time = Locked(Timestamp(seconds: 1_900_000_000))

    init() throws {
        files = try TemporaryFiles()
    }

    private func source(_ environment: [String: String], config: String = "") throws -> any AWSCredentialSource {
        var environment = environment
        environment["AWS_CONFIG_FILE"] = try files.write("config", config)
        let access = try AWSAccess(AWSConfiguration(settings: Settings(environment)))
        let effects = Effects(
            now: { self.time.withLock { $0 } },
            randomBytes: { [UInt8](repeating: 7, count: $0) }
        )
        return access.source(client: try makeClient(), effects: effects)
    }

    private func keys(_ id: String) -> String {
        let end = time.withLock { $0.advanced(by: .seconds(3600)).rfc3339 }
        return #"{"Code":"Success","AccessKeyId":"\#(id)","SecretAccessKey":"s","Token":"t","Expiration":"\#(end)"}"#
    }

    private func stsAnswer(_ id: String) -> String {
        let end = time.withLock { $0.advanced(by: .seconds(3600)).rfc3339 }
        return """
            <R xmlns="x"><Credentials><AccessKeyId>\(id)</AccessKeyId><SecretAccessKey>a&amp;lt;b</SecretAccessKey>
            <SessionToken>to/ken+==</SessionToken><Expiration>\(end)</Expiration></Credentials></R>
            """
    }

    private static func message(_ body: () async throws -> Void) async -> String {
        let error = await #expect(throws: ServiceError.self) { try await body() }
        #expect(error?.code == .unavailable)
        return error?.message ?? ""
    }

    @Test("come from a container with its token, which is read anew each time")
    func container() async throws {
        let file = try files.write("token", "first\n")
        let answer = keys("TASK")
        try await ScriptedServer.run(headers: ["Authorization"], answer: { _ in .init(body: answer) }) { server in
            let source = try source([
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": "\(server.url)/v1/credentials",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": file,
            ])

            let credentials = try await source.credentials()
            _ = try files.write("token", "second")
            time.withLock { $0 = $0.advanced(by: .seconds(3400)) }
            _ = try? await source.credentials()

            #expect(credentials.accessKeyID == "TASK")
            #expect(credentials.sessionToken?.reveal() == "t")
            #expect(server.calls.map(\.target) == ["/v1/credentials", "/v1/credentials"])
            #expect(server.calls.map(\.headers) == [["Authorization": "first"], ["Authorization": "second"]])
        }
    }

    @Test("come from the machine by version 2 of its protocol")
    func machine() async throws {
        let answer = keys("MACHINE")
        let name = "X-aws-ec2-metadata-token"
        try await ScriptedServer.run(
            headers: [name],
            answer: { call in
                switch (call.method, call.target) {
                case ("PUT", "/latest/api/token"): .init(body: "session")
                case ("GET", "/latest/meta-data/iam/security-credentials/"): .init(body: "my-role\n")
                case ("GET", "/latest/meta-data/iam/security-credentials/my-role"): .init(body: answer)
                default: .init(status: 404)
                }
            }
        ) { server in
            let source = try source(["AWS_EC2_METADATA_SERVICE_ENDPOINT": server.url])

            #expect(try await source.credentials().accessKeyID == "MACHINE")
            #expect(server.calls.count >= 3)
            #expect(server.calls.allSatisfy { $0.headers[name] == ($0.method == "PUT" ? nil : "session") })
        }
    }

    @Test("are missed with a message that says what was tried")
    func nowhere() async throws {
        let source = try source(["AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1"])

        let message = await Self.message { _ = try await source.credentials() }

        #expect(message.contains("metadata service of this machine at http://127.0.0.1:1"))
        #expect(message.contains("because none are set"))
    }

    @Test("are not taken from answers without them", arguments: ["", "[]", "{}", #"{"AccessKeyId":"A"}"#])
    func badAnswers(body: String) async throws {
        try await ScriptedServer.run(answer: { _ in .init(body: body) }) { server in
            let source = try source(["AWS_CONTAINER_CREDENTIALS_FULL_URI": "\(server.url)/x"])

            let message = await Self.message { _ = try await source.credentials() }

            #expect(message.contains("The container's source of keys"))
        }
    }

    @Test("of a role are asked for with those of somebody who may take it on")
    func role() async throws {
        let answer = stsAnswer("ROLE")
        try await ScriptedServer.run(headers: ["Authorization"], answer: { _ in .init(body: answer) }) { server in
            let config = """
                [default]
                role_arn = arn:aws:iam::1:role/x y
                source_profile = default
                external_id = e/1
                aws_access_key_id = BASE
                aws_secret_access_key = s
                """
            let source = try source(["AWS_ENDPOINT_URL_STS": server.url, "AWS_REGION": "eu-west-1"], config: config)

            let credentials = try await source.credentials()
            let again = try await source.credentials()

            #expect(credentials.accessKeyID == "ROLE")
            #expect(credentials.secretAccessKey.reveal() == "a&lt;b")
            #expect(credentials.sessionToken?.reveal() == "to/ken+==")
            #expect(credentials.expiration == time.withLock { $0.advanced(by: .seconds(3600)) })
            #expect(again == credentials)
            let call = try #require(server.calls.first)
            #expect(server.calls.count == 1)
            #expect(
                call.body
                    == "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fx%20y"
                    + "&RoleSessionName=cairn&DurationSeconds=3600&ExternalId=e%2F1"
            )
            #expect(
                call.headers["Authorization"]?.contains("Credential=BASE/20300317/eu-west-1/sts/aws4_request") == true
            )
        }
    }

    @Test("of a role for a token are asked for without a signature")
    func webIdentity() async throws {
        let file = try files.write("token", "ey.J.x\n")
        let answer = stsAnswer("WEB")
        try await ScriptedServer.run(headers: ["Authorization"], answer: { _ in .init(body: answer) }) { server in
            let source = try source([
                "AWS_ENDPOINT_URL": server.url, "AWS_WEB_IDENTITY_TOKEN_FILE": file, "AWS_ROLE_ARN": "arn:r",
            ])

            #expect(try await source.credentials().accessKeyID == "WEB")
            #expect(server.calls[0].headers == [:])
            #expect(server.calls[0].body.hasSuffix("&DurationSeconds=3600&WebIdentityToken=ey.J.x"))
        }
    }

    @Test("of a role that is refused are missed with what AWS says")
    func refused() async throws {
        let answer =
            "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no &lt;way&gt;</Message></Error></ErrorResponse>"
        try await ScriptedServer.run(answer: { _ in .init(status: 403, body: answer) }) { server in
            let source = try source([
                "AWS_ENDPOINT_URL": server.url, "AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s",
                "AWS_ROLE_ARN": "arn:r",
            ])

            let message = await Self.message { _ = try await source.credentials() }

            #expect(message == "AWS STS refuses sts:AssumeRole for arn:r: AccessDenied: no <way>")
        }
    }

    @Test("of a token file that is missing or empty are missed by its name")
    func tokenFile() async throws {
        let empty = try files.write("empty", " \n")
        for path in ["\(files.path)/none", empty] {
            let source = try source(["AWS_WEB_IDENTITY_TOKEN_FILE": path, "AWS_ROLE_ARN": "arn:r"])

            let message = await Self.message { _ = try await source.credentials() }

            #expect(message.contains(path))
        }
    }

    @Test("come from a program, which is no shell's")
    func process() async throws {
        let program = try files.write(
            "my tool",
            """
            printf '{"Version":1,"AccessKeyId":"%s","SecretAccessKey":"s","SessionToken":"t"}' "$1"
            """
        )
        // Read by sh, since a file that was just written may still be open for writing in a child of another test.
        let config = "[default]\ncredential_process = sh '\(program)' '$(id)'\n"

        let credentials = try await source([:], config: config).credentials()

        #expect(credentials.accessKeyID == "$(id)")
        #expect(credentials.sessionToken?.reveal() == "t")
        #expect(credentials.expiration == nil)
    }

    @Test(
        "of a program that fails are missed, and what it prints is not shown",
        arguments: [
            ("/nonexistent/program", "cannot be started: No such file or directory"),
            ("sh -c 'echo hidden; exit 3'", "ended with code 3"), ("sh -c 'kill -9 $$'", "was ended by signal 9"),
            ("echo hidden", "does not give a JSON object"), ("echo '{}'", "does not print Version 1"),
            ("head -c 100000 /dev/zero", "prints too much"),
        ]
    )
    func failingProcess(command: String, text: String) async throws {
        let source = try source([:], config: "[default]\ncredential_process = \(command)\n")

        let message = await Self.message { _ = try await source.credentials() }

        #expect(message.contains(text), "\(message)")
        #expect(!message.contains("hidden"))
    }

    @Test(
        "of roles come from a server of another vendor",
        .enabled(if: moto != nil, "CAIRN_TEST_MOTO is not set: start it with ./dev services start")
    )
    func realService() async throws {
        let file = try files.write("token", "any-token")
        time.withLock { $0 = Timestamp(seconds: Int64(Foundation.Date().timeIntervalSince1970)) }
        let url = try #require(moto)
        let role = "arn:aws:iam::123456789012:role/cairn"

        let assumed = try await source([
            "AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s", "AWS_ROLE_ARN": role,
        ]).credentials()
        let web = try await source([
            "AWS_ENDPOINT_URL": url, "AWS_WEB_IDENTITY_TOKEN_FILE": file, "AWS_ROLE_ARN": role,
        ]).credentials()

        for credentials in [assumed, web] {
            #expect(credentials.accessKeyID.hasPrefix("ASIA"))
            #expect(credentials.sessionToken?.reveal().isEmpty == false)
            let left = try #require(credentials.expiration).since(time.withLock { $0 })
            #expect(left > .seconds(3000) && left < .seconds(3700))
        }
    }
}

private let moto = ProcessInfo.processInfo.environment["CAIRN_TEST_MOTO"]
