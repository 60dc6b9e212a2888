import CloudAccess
import Crypto
import Encryption
import Foundation
import Kernel
import OutboundHTTP
import ServiceTestKit
import Testing
import Transfers

private let moto = ProcessInfo.processInfo.environment["CAIRN_TEST_MOTO"]
private let effects = Effects(
    now: { Timestamp(seconds: Int64(Date().timeIntervalSince1970)) },
    randomBytes: { Random.bytes($0) }
)
private let credentials = AWSCredentials(accessKeyID: "cairn", secretAccessKey: Redacted("secret"))

/// Waits long, because a busy machine is no service that is away.
private func open(
    _ key: String,
    at url: String,
    region: String? = "eu-west-1",
    patience: KeyServicePatience = KeyServicePatience(.seconds(30)),
    leastAttempt: Duration = .seconds(30)
) async throws -> AWSKMSKeyProvider {
    try await AWSKMSKeyProvider.open(
        key,
        region: region,
        configuration: AWSConfiguration(settings: Settings(["AWS_ENDPOINT_URL_KMS": url])),
        credentials: FixedAWSCredentials(credentials),
        client: makeClient(leastAttempt: leastAttempt),
        effects: effects,
        patience: patience
    )
}

@Suite(
    "A master key in AWS KMS, as moto plays it",
    .enabled(if: moto != nil, "CAIRN_TEST_MOTO is not set: start it with ./dev services start")
)
struct AWSKMSServiceTests {
    private let url: String

    init() throws {
        url = try #require(moto)
    }

    /// Calls an action that the server itself never calls, and gives the answer.
    @discardableResult
    private func call(_ action: String, _ body: String, region: String = "eu-west-1") async throws -> String {
        let signer = AWSSigner(region: region, service: "kms")
        let request = AWSRequest(
            "POST",
            scheme: "http",
            host: url.replacing("http://", with: ""),
            headers: [("Content-Type", "application/x-amz-json-1.1"), ("X-Amz-Target", "TrentService.\(action)")],
            body: Array(body.utf8)
        )
        let signed = signer.sign(request, with: credentials, at: effects.now())
        let response = try await Transfers().perform(signed.patient)
        let text = String(decoding: response.body, as: UTF8.self)
        try #require(response.status == 200, "\(text)")
        return text
    }

    private func makeKey(region: String = "eu-west-1") async throws -> (id: String, arn: String) {
        let answer = try await call("CreateKey", "{}", region: region)
        let id = try #require(answer.split(separator: #""KeyId": ""#).last?.prefix { $0 != "\"" })
        let arn = try #require(answer.split(separator: #""Arn": ""#).last?.prefix { $0 != "\"" })
        return (String(id), String(arn))
    }

    @Test("does what every master key does, by each of its names")
    func conforms() async throws {
        let (id, arn) = try await makeKey()
        let alias = "alias/cairn-\(Hex.encode(Random.bytes(6)))"
        try await call("CreateAlias", #"{"AliasName":"\#(alias)","TargetKeyId":"\#(id)"}"#)

        try await KeyProviderConformance(provider: open(id, at: url)).run()
        for name in [arn, alias, arn.replacing("key/\(id)", with: alias)] {
            let provider = try await open(name, at: url, region: name.hasPrefix("arn:") ? nil : "eu-west-1")
            let (key, wrapped) = try await provider.makeKey(context: [1])

            #expect(provider.currentVersion == arn)
            #expect(wrapped.version == arn)
            #expect(ConstantTime.equal(try await provider.unwrap(wrapped, context: [1]), key))
        }
    }

    @Test("opens what was wrapped before its alias was given to another key, and goes on with that one")
    func movesAliases() async throws {
        let (old, new) = (try await makeKey(), try await makeKey())
        let alias = "alias/cairn-\(Hex.encode(Random.bytes(6)))"
        try await call("CreateAlias", #"{"AliasName":"\#(alias)","TargetKeyId":"\#(old.id)"}"#)
        let provider = try await open(alias, at: url)
        let (first, before) = try await provider.makeKey(context: [1])

        try await call("UpdateAlias", #"{"AliasName":"\#(alias)","TargetKeyId":"\#(new.id)"}"#)
        let (second, after) = try await provider.makeKey(context: [1])

        #expect([before.version, after.version] == [old.arn, new.arn])
        #expect(ConstantTime.equal(try await provider.unwrap(before, context: [1]), first))
        #expect(ConstantTime.equal(try await provider.unwrap(after, context: [1]), second))
    }

    @Test("opens what an earlier key has wrapped, as long as that one is there")
    func changesKeys() async throws {
        let old = try await open(try await makeKey().id, at: url)
        let new = try await open(try await makeKey().id, at: url)
        let (key, wrapped) = try await old.makeKey(context: [1])

        #expect(new.currentVersion != old.currentVersion)
        #expect(ConstantTime.equal(try await new.unwrap(wrapped, context: [1]), key))
        let substituted = WrappedKey(version: new.currentVersion, bytes: wrapped.bytes)
        await #expect(throws: ServiceError.self) { try await new.unwrap(substituted, context: [1]) }
    }

    @Test(
        "that is not there is named at the start",
        arguments: ["alias/nowhere", "1234abcd-12ab-34cd-56ef-1234567890ab"]
    )
    func missing(key: String) async throws {
        let error = await #expect(throws: ServiceError.self) { try await open(key, at: url) }

        #expect(error?.code == .unavailable)
        #expect(error?.message == "AWS KMS key \(key) does not exist")
    }
}

@Suite("A master key in AWS KMS")
struct AWSKMSKeyProviderTests {
    private static let arn = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    private static let plaintext = [UInt8](1...32)

    /// A KMS that refuses some actions.
    private static func answer(
        _ call: ScriptedServer.Call,
        refusing refused: [String: (status: Int, code: String)]
    ) -> ScriptedServer.Answer {
        let action = call.headers["X-Amz-Target"]?.replacing("TrentService.", with: "") ?? ""
        if let refusal = refused[action] {
            let body = #"{"__type":"com.amazonaws.kms#\#(refusal.code)","message":"because"}"#
            return ScriptedServer.Answer(status: refusal.status, body: body)
        }
        let blob = #""CiphertextBlob":"AQID","KeyId":"\#(arn)""#
        let plain = #""Plaintext":"\#(Base64.encode(plaintext))""#
        switch action {
        case "GenerateDataKey": return ScriptedServer.Answer(body: "{\(blob),\(plain)}")
        case "GenerateDataKeyWithoutPlaintext": return ScriptedServer.Answer(body: "{\(blob)}")
        case "Decrypt": return ScriptedServer.Answer(body: "{\(plain)}")
        default: return ScriptedServer.Answer(status: 400, body: #"{"__type":"UnknownOperationException"}"#)
        }
    }

    private static let headers = ["X-Amz-Target", "Content-Type", "Authorization"]

    @Test("is asked in its protocol, and needs neither Encrypt nor DescribeKey")
    func calls() async throws {
        try await ScriptedServer.run(headers: Self.headers, answer: { Self.answer($0, refusing: [:]) }) { server in
            let provider = try await open("alias/cairn", at: server.url)
            _ = try await provider.wrap(Random.key(), context: [1, 2])

            let actions = server.calls.map { $0.headers["X-Amz-Target"] }
            #expect(actions == ["GenerateDataKey", "Decrypt", "GenerateDataKey"].map { "TrentService.\($0)" })
            let calls = server.calls
            #expect(calls.allSatisfy { $0.method == "POST" && $0.target == "/" })
            #expect(calls[0].headers["Content-Type"] == "application/x-amz-json-1.1")
            #expect(calls[0].headers["Authorization"]?.contains("/eu-west-1/kms/aws4_request") == true)
            #expect(
                calls[2].body == #"{"KeyId":"alias/cairn","EncryptionContext":{"cairn":"AQI="},"KeySpec":"AES_256"}"#
            )
            #expect(calls[1].body.contains(#""CiphertextBlob":"AQID""#))
        }
    }

    @Test("makes keys in two steps where the policy is the vendor's older one")
    func olderPolicy() async throws {
        let refused = ["GenerateDataKey": (400, "AccessDeniedException"), "Encrypt": (400, "AccessDeniedException")]
        try await ScriptedServer.run(headers: Self.headers, answer: { Self.answer($0, refusing: refused) }) { server in
            let provider = try await open(Self.arn, at: server.url, region: nil)

            let (key, wrapped) = try await provider.makeKey(context: [1])

            #expect(key.withUnsafeBytes { Array($0) } == Self.plaintext)
            #expect(wrapped == WrappedKey(version: Self.arn, bytes: [1, 1, 2, 3]))
        }
    }

    @Test(
        "says at the start which permission is missing and what else is wrong",
        arguments: [
            (
                ["GenerateDataKey", "GenerateDataKeyWithoutPlaintext"], 400, "AccessDeniedException",
                "kms:GenerateDataKey"
            ),
            (["Decrypt"], 400, "AccessDeniedException", "may not use kms:Decrypt"),
            (["GenerateDataKey"], 400, "DisabledException", "is disabled"),
            (["GenerateDataKey"], 400, "KMSInvalidStateException", "kms:GenerateDataKey: because"),
            (["GenerateDataKey"], 400, "NotFoundException", "does not exist"),
            (["GenerateDataKey"], 400, "InvalidKeyUsageException", "none that encrypts symmetrically"),
            (["GenerateDataKey"], 400, "ThrottlingException", "too many requests"),
            (["GenerateDataKey"], 400, "UnrecognizedClientException", "the credentials are refused"),
            (["GenerateDataKey"], 400, "ExpiredTokenException", "the credentials are refused"),
            (["GenerateDataKey"], 400, "NovelException", "kms:GenerateDataKey fails: NovelException: because"),
        ]
    )
    func refusals(actions: [String], status: Int, code: String, text: String) async throws {
        let refused = Dictionary(uniqueKeysWithValues: actions.map { ($0, (status, code)) })
        try await ScriptedServer.run(headers: Self.headers, answer: { Self.answer($0, refusing: refused) }) { server in
            let error = await #expect(throws: ServiceError.self) {
                try await open(Self.arn, at: server.url, region: nil)
            }

            #expect(error?.code == .unavailable)
            #expect(error?.message.contains(Self.arn) == true)
            #expect(error?.message.contains(text) == true, "\(error?.message ?? "")")
        }
    }

    @Test("opens what its copy in another region has wrapped, without asking there")
    func copies() async throws {
        let original = "arn:aws:kms:us-east-1:1:key/mrk-1234"
        let copy = "arn:aws:kms:eu-west-1:1:key/mrk-1234"
        try await ScriptedServer.run(
            headers: Self.headers,
            answer: { call in
                var answer = Self.answer(call, refusing: [:])
                answer.body = answer.body.replacing(Self.arn, with: copy)
                return answer
            }
        ) { server in
            let provider = try await open(copy, at: server.url)

            _ = try await provider.unwrap(WrappedKey(version: original, bytes: [1, 1, 2, 3]), context: [])
            _ = try await provider.unwrap(WrappedKey(version: Self.arn, bytes: [1, 1, 2, 3]), context: [])

            let calls = server.calls.suffix(2).map { $0 }
            #expect(calls.map { $0.body.contains(copy) } == [true, false])
            #expect(calls.map { $0.body.contains(Self.arn) } == [false, true])
        }
    }

    @Test("is asked again when it was asked too often")
    func throttled() async throws {
        let isFirst = Locked(true)
        let refused = ["GenerateDataKey": (400, "ThrottlingException")]
        try await ScriptedServer.run(
            headers: Self.headers,
            answer: { call in
                let refuses = isFirst.withLock { isFirst in
                    defer { isFirst = false }
                    return isFirst
                }
                return Self.answer(call, refusing: refuses ? refused : [:])
            }
        ) { server in
            _ = try await open(Self.arn, at: server.url, region: nil)

            #expect(server.calls.count == 3)
        }
    }

    private func openWithinTwoSeconds(at url: String) async throws -> AWSKMSKeyProvider {
        try await open(Self.arn, at: url, region: nil, patience: .standard, leastAttempt: .zero)
    }

    @Test("that is away lets those go on whose data keys are open, and tells others so within two seconds")
    func outage() async throws {
        let isAway = Locked(false)
        let owner = KeyOwner("stack", ID<Stack>(at: Timestamp(seconds: 1), random: Random.bytes(10)))
        try await ScriptedServer.run(
            headers: Self.headers,
            answer: { call in
                isAway.withLock { $0 } ? .init(status: 503, body: "{}") : Self.answer(call, refusing: [:])
            }
        ) { server in
            // What is to succeed waits as long as on a machine that has just come up.
            let provider = try await KeyServicePatience.extended { try await openWithinTwoSeconds(at: server.url) }
            let keys = DataKeys(provider: provider, effects: effects)
            let (used, unused) = try await KeyServicePatience.extended {
                (
                    try await keys.make(for: owner),
                    try await DataKeys(provider: provider, effects: effects).make(for: owner)
                )
            }
            isAway.withLock { $0 = true }

            let value = try await keys.cipher(used, for: owner).encrypt([7])
            #expect(try await keys.cipher(used, for: owner).decrypt(value) == [7])
            for call in [
                { _ = try await keys.cipher(unused, for: owner) }, { _ = try await keys.make(for: owner) },
            ] as [() async throws -> Void] {
                let time = await quickest(of: 3) {
                    let error = await #expect(throws: ServiceError.self) { try await call() }
                    #expect(error?.code == .unavailable)
                }
                #expect(time < .seconds(2))
            }
            isAway.withLock { $0 = false }
            _ = try await KeyServicePatience.extended { try await keys.cipher(unused, for: owner) }
        }
    }

    @Test("that refuses connections or never answers is missed within two seconds")
    func silence() async throws {
        let hanging = try HangingPort()
        for url in ["http://127.0.0.1:1", hanging.url] {
            let time = await quickest(of: 3) {
                let error = await #expect(throws: ServiceError.self) { try await openWithinTwoSeconds(at: url) }
                #expect(error?.code == .unavailable)
                #expect(error?.message.contains(url) == true)
            }

            #expect(time < .seconds(2))
        }
    }

    @Test(
        "is not asked for by what is no name of a key",
        arguments: [
            ("", "x"), ("arn:aws:s3:::b", "x"), ("arn:aws:kms::1:key/a", "x"), ("a:b", "x"), ("alias/ü", "x"),
            ("alias/a", nil),
        ] as [(String, String?)]
    )
    func names(name: String, region: String?) async throws {
        let error = await #expect(throws: ServiceError.self) {
            try await open(name, at: "http://127.0.0.1:1", region: region)
        }

        #expect(error?.code == .invalidArgument)
    }
}

/// The shortest of some runs: what runs beside a test makes some of them longer.
private func quickest(of runs: Int, _ body: () async -> Void) async -> Duration {
    var shortest = Duration.seconds(3600)
    for _ in 0..<runs where shortest > .seconds(2) {
        let start = ContinuousClock.now
        await body()
        shortest = min(shortest, start.duration(to: .now))
    }
    return shortest
}

/// A port that takes connections and never says anything.
private final class HangingPort: Sendable {
    let url: String
    private let descriptor: Int32

    init() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, length) == 0 && listen(descriptor, 16) == 0
                    && getsockname(descriptor, pointer, &length) == 0
            }
        }
        self.descriptor = descriptor
        url = "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
        try #require(isBound)
    }

    deinit {
        close(descriptor)
    }
}
