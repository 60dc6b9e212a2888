import CloudAccess
import Crypto
import Foundation
import Kernel
import ObjectStorage
import ServiceTestKit
import Testing
import Transfers

/// What `Tests/Counterparts/signed_urls.py` has made with the vendors' own libraries.
@Suite("Signed URLs, as the vendors' libraries make them")
struct SignedURLVectorTests {
    private let urls: [String: String]
    private let folder: URL
    private let start = Timestamp(seconds: 1_893_456_000)
    private static let delegationKey = """
        <UserDelegationKey><SignedOid>0c0ffee0-0000-4000-8000-000000000001</SignedOid>\
        <SignedTid>0c0ffee0-0000-4000-8000-000000000002</SignedTid><SignedStart>2029-12-31T23:45:00Z</SignedStart>\
        <SignedExpiry>2030-01-02T12:00:00Z</SignedExpiry><SignedService>b</SignedService>\
        <SignedVersion>2020-10-02</SignedVersion>\
        <Value>\(Base64.encode(Array("a key of an identity that only tests have".utf8)))</Value></UserDelegationKey>
        """
    private let name = "packs/1f2e/a b+c~d_e-f.g"
    private let path = "packs/1f2e/a%20b%2Bc~d_e-f.g"

    init() throws {
        folder = Self.counterparts
        let data = try Data(contentsOf: folder.appending(path: "signed-urls.json"))
        urls = try JSONDecoder().decode([String: String].self, from: data)
    }

    static var counterparts: URL {
        var url = URL(filePath: #filePath)
        while url.lastPathComponent != "Tests" { url.deleteLastPathComponent() }
        return url.appending(path: "Counterparts")
    }

    @Test(
        "are the same for S3",
        arguments: [("s3 get", "GET", nil), ("s3 put with a token", "PUT", "a/token+of=some")]
    )
    func s3(vector: String, method: String, token: String?) throws {
        let credentials = AWSCredentials(
            accessKeyID: "AKIDEXAMPLE",
            secretAccessKey: Redacted("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            sessionToken: token.map { Redacted($0) }
        )
        let request = AWSRequest(method, host: "states.s3.eu-west-1.amazonaws.com", path: "/\(path)")

        let url = AWSSigner(region: "eu-west-1", service: "s3")
            .presign(request, with: credentials, at: start, for: .seconds(600))

        #expect(url == urls[vector])
    }

    @Test("are the same for Azure", arguments: [("azure get", "r"), ("azure put", "cw")])
    func azure(vector: String, permissions: String) throws {
        let key = Base64.encode(Array("a key of an account that only tests have".utf8))
        let shared = try #require(AzureSharedKey(account: "cairntest", key: Redacted(key)))

        let query = shared.sign(grant(permissions, for: .seconds(600)))

        try expectSame(query, vector, count: 6)
    }

    @Test(
        "are the same for Azure where an identity signs",
        arguments: [("azure get by an identity", "r"), ("azure put by an identity", "cw")]
    )
    func azureIdentity(vector: String, permissions: String) throws {
        let key = try #require(AzureDelegationKey(Array(Self.delegationKey.utf8)))

        let query = try #require(key.sign(grant(permissions, for: .seconds(600))))

        try expectSame(query, vector, count: 12)
        #expect(key.end == start.advanced(by: .seconds(36 * 3600)))
    }

    @Test("of an identity of Azure are not signed beyond the end of its key")
    func azureKeyEnds() throws {
        let key = try #require(AzureDelegationKey(Array(Self.delegationKey.utf8)))

        #expect(key.sign(grant("r", for: .seconds(36 * 3600))) != nil)
        #expect(key.sign(grant("r", for: .seconds(36 * 3600 + 1))) == nil)
    }

    @Test(
        "need a whole key of an identity of Azure",
        arguments: [
            ("<SignedOid>0c0ffee0-0000-4000-8000-000000000001</SignedOid>", ""),
            ("<SignedService>b</SignedService>", "<SignedService/>"), ("2030-01-02T12:00:00Z", "tomorrow"),
            ("<Value>", "<Value>&#33;"), ("UserDelegationKey>", "Error>"), ("</Value>", ""),
        ]
    )
    func azureKeyLacks(part: String, other: String) {
        #expect(AzureDelegationKey(Array(Self.delegationKey.replacing(part, with: other).utf8)) == nil)
    }

    @Test("take no key of an identity of Azure that is empty")
    func azureKeyIsEmpty() {
        let value = Base64.encode(Array("a key of an identity that only tests have".utf8))

        #expect(AzureDelegationKey(Array(Self.delegationKey.replacing(value, with: "").utf8)) == nil)
        #expect(AzureDelegationKey([]) == nil)
    }

    private func grant(_ permissions: String, for life: Duration) -> AzureBlobGrant {
        AzureBlobGrant(
            account: "cairntest",
            blob: "states/\(name)",
            permissions: permissions,
            protocols: "https",
            until: start.advanced(by: life)
        )
    }

    private func expectSame(_ query: [(name: String, value: String)], _ vector: String, count: Int) throws {
        let url = AzureStorageRequest(
            "GET",
            origin: "https://cairntest.blob.core.windows.net",
            path: "/states/\(path)",
            query: query
        ).transfer().url
        let (found, wanted) = (URLComponents(string: url), URLComponents(string: urls[vector] ?? ""))
        #expect(found?.percentEncodedPath == wanted?.percentEncodedPath)
        #expect(Set(found?.queryItems ?? []) == Set(wanted?.queryItems ?? []) && wanted?.queryItems?.count == count)
    }

    @Test("are the same for Google", arguments: [("google get", "GET"), ("google put", "PUT")])
    func google(vector: String, method: String) async throws {
        let file = try Self.accountFile()
        defer { try? FileManager.default.removeItem(atPath: file) }
        let signer = GoogleURLSigner(try GoogleServiceAccount(file: file))

        let url = try await sign(method, signer)

        #expect(url.reveal() == urls[vector])
    }

    @Test("are not made for longer than Google takes them")
    func googleLife() async throws {
        let file = try Self.accountFile()
        defer { try? FileManager.default.removeItem(atPath: file) }
        let signer = GoogleURLSigner(try GoogleServiceAccount(file: file))

        _ = try await sign("GET", signer, for: .seconds(604_800))
        let error = await #expect(throws: ServiceError.self) { try await sign("GET", signer, for: .seconds(604_801)) }

        #expect(error?.code == .invalidArgument)
    }

    private func sign(_ method: String, _ signer: GoogleURLSigner, for life: Duration = .seconds(600)) async throws
        -> Redacted<String>
    {
        try await signer.sign(
            method,
            "/states/\(path)",
            at: ServiceAddress(host: "storage.googleapis.com"),
            time: start,
            for: life
        )
    }

    /// The file of a service account with the key of the vectors, which the counterpart takes, too.
    static func accountFile() throws -> String {
        let key = try String(contentsOf: counterparts.appending(path: "signed-urls-key.pem"), encoding: .utf8)
        let account = [
            "type": "service_account", "private_key": key, "token_uri": "https://oauth2.googleapis.com/token",
            "client_email": "cairn@test-project.iam.gserviceaccount.com",
        ]
        let path = NSTemporaryDirectory() + "cairn-account-\(UUID().uuidString).json"
        try JSONEncoder().encode(account).write(to: URL(filePath: path))
        return path
    }
}

@Suite("Signed URLs, used without the server")
struct SignedURLUseTests {
    private let things = ObjectFolder("things")

    /// Stores and reads by URL, and tries what the URLs do not permit.
    private func use(_ store: BucketObjectStore, checksSignatures: Bool = true) async throws {
        let bytes = Random.bytes(100_000)
        let key = things.folder("a").content(SHA256.hash(bytes))
        let put = try #require(try await store.signedURL(to: .put, key, for: .seconds(60)))
        let get = try #require(try await store.signedURL(to: .get, key, for: .seconds(60)))

        let stored = try await send("PUT", put, bytes)
        let read = try await send("GET", get)

        #expect((200...201).contains(stored.status), "\(String(decoding: stored.body, as: UTF8.self))")
        #expect(read.status == 200 && read.body == bytes)
        #expect(try await store.get(key) == bytes)
        guard checksSignatures else { return }
        let wrong = SignedURL(get.url.reveal().replacing("/a/", with: "/b/"), headers: get.headers)
        #expect(try await send("PUT", get, [1]).status == 403)
        #expect([400, 403].contains(try await send("GET", wrong).status))
        #expect(try await store.get(key) == bytes)
        let short = try #require(try await store.signedURL(to: .get, key, for: .seconds(1)))
        let end = ContinuousClock.now + .seconds(20)
        var status = 200
        while status == 200, ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(200))
            status = try await send("GET", short).status
        }
        #expect([400, 403].contains(status), "\(status)")
    }

    private func send(_ method: String, _ signed: SignedURL, _ body: [UInt8]? = nil) async throws -> TransferResponse {
        let headers = signed.headers.map { ($0.name, $0.value) }
        return try await S3Service.transfers.perform(
            TransferRequest(method, signed.url.reveal(), headers: headers, body: body).patient
        )
    }

    @Test("permit one access to one object of S3 for a while", arguments: S3Service.running)
    func s3(service: S3Service) async throws {
        try await use(service.open(service.makeBucket()), checksSignatures: service == .seaweedfs)
    }

    @Test(
        "permit one access to one object of Azure Blob Storage for a while",
        .enabled(if: AzureService.endpoint != nil, "see ./dev services start")
    )
    func azure() async throws {
        let container = try await AzureService.makeContainer()

        try await use(AzureService.open(container))
        try await use(AzureService.open(container, .token { Redacted("test-token") }))
    }

    @Test(
        "are refused to an identity of Azure that may not sign, with the role that it needs",
        .enabled(if: AzureService.endpoint != nil, "see ./dev services start")
    )
    func azureReader() async throws {
        let container = try await AzureService.makeContainer()
        let store = try await AzureService.open(container, .token { Redacted("reader-token") })

        let error = await #expect(throws: ServiceError.self) {
            _ = try await store.signedURL(to: .get, things.content(SHA256.hash([1])), for: .seconds(60))
        }

        #expect(error?.code == .unavailable)
        for words in ["'Storage Blob Delegator'", "generateUserDelegationKey", container, "access is denied"] {
            #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
        }
    }

    @Test(
        "live for whole seconds, and for no more than twelve hours",
        .enabled(if: AzureService.endpoint != nil, "see ./dev services start"),
        arguments: [
            .zero, .seconds(-1), .milliseconds(1500), .seconds(12 * 3600 + 1), .seconds(7 * 86_400 + 1),
        ] as [Duration]
    )
    func lives(life: Duration) async throws {
        let key = things.content(SHA256.hash([1]))
        for authorization in [nil, .token { Redacted("test-token") }] as [AzureBlobAuthorization?] {
            let store = try await AzureService.open(AzureService.makeContainer(), authorization)

            let error = await #expect(throws: ServiceError.self) {
                _ = try await store.signedURL(to: .get, key, for: life)
            }

            #expect(error?.code == .invalidArgument)
            #expect(try await store.signedURL(to: .get, key, for: SignedURL.longestLife) != nil)
        }
    }

    @Test(
        "permit one access to one object of Google Cloud Storage for a while",
        .enabled(if: GoogleStorageService.endpoint != nil, "see ./dev services start")
    )
    func google() async throws {
        let file = try SignedURLVectorTests.accountFile()
        defer { try? FileManager.default.removeItem(atPath: file) }
        let signer = GoogleURLSigner(try GoogleServiceAccount(file: file))
        let bucket = try await GoogleStorageService.makeBucket()

        try await use(GoogleStorageService.open(bucket, signer: signer))

        try await use(GoogleStorageService.open(bucket, signer: machine()))

        let without = try await GoogleStorageService.open(bucket)
        #expect(try await without.signedURL(to: .get, things.content(SHA256.hash([1])), for: .seconds(60)) == nil)
    }

    /// Signs as the counterpart's machine, which has no key.
    private func machine() throws -> GoogleURLSigner {
        let endpoint = try #require(GoogleStorageService.endpoint)
        let settings = Settings([
            "GCE_METADATA_HOST": endpoint.replacing("http://", with: ""), "CAIRN_GOOGLE_IAM_ENDPOINT": endpoint,
        ])
        return try GoogleCredential(
            GoogleConfiguration(settings: settings),
            client: S3Service.client(),
            effects: S3Service.effects
        ).signer(in: "googleapis.com")
    }
}
