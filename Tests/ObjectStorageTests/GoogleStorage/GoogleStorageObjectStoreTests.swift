import CloudAccess
import Crypto
import Kernel
import ObjectStorage
import OutboundHTTP
import Testing
import Transfers

@Suite(
    "Objects in Google Cloud Storage",
    .enabled(if: GoogleStorageService.endpoint != nil, "see ./dev services start")
)
struct GoogleStorageObjectStoreTests {
    private enum Thing {}
    private let things = ObjectFolder("things")

    @Test("do what every store does, with and without a prefix", arguments: ["", "&prefix=a%20b/ü%25/"])
    func conformance(parameters: String) async throws {
        let store = try await GoogleStorageService.open(GoogleStorageService.makeBucket(), parameters: parameters)

        try await ObjectStoreConformance(store).run()

        #expect(try await store.sweepUnfinished(before: S3Service.effects.now().advanced(by: .seconds(60))) == 0)
    }

    @Test("under different prefixes of a bucket are kept apart")
    func prefixes() async throws {
        let bucket = try await GoogleStorageService.makeBucket()
        let one = try await GoogleStorageService.open(bucket, parameters: "&prefix=one/")
        let other = try await GoogleStorageService.open(bucket, parameters: "&prefix=other/")
        let key = things.content(SHA256.hash([1]))

        try await one.put([1], as: key)

        #expect(try await other.size(of: key) == nil)
        #expect(try await one.list(in: nil, after: nil, limit: 10).objects.map(\.key) == [key])
    }

    @Test("of many parts come back whole, in one piece and in several")
    func largeObjects() async throws {
        let store = try await GoogleStorageService.open(GoogleStorageService.makeBucket())
        let bytes = Random.bytes(28_000_000)
        let key = things.content(SHA256.hash(bytes))

        try await store.put(bytes, as: key)

        #expect(try await store.get(key) == bytes)
        let named = things.object(ID<Thing>(at: Timestamp(seconds: 1), random: Random.bytes(10)))
        try await store.put(bytes, as: named)
        #expect(try await store.get(named, range: 8_388_000..<26_000_000) == Array(bytes[8_388_000..<26_000_000]))
    }

    @Test("whose hash is known only at the end are copied to their name, and nothing else stays")
    func copies() async throws {
        let store = try await GoogleStorageService.open(GoogleStorageService.makeBucket())
        let bytes = Random.bytes(9_000_000)
        let body = AsyncStream { continuation in
            for start in stride(from: 0, to: bytes.count, by: 1_000_000) {
                continuation.yield(Array(bytes[start..<(start + 1_000_000)]))
            }
            continuation.finish()
        }

        let stored = try await store.putContent(body, in: things)

        #expect(stored == StoredContent(key: things.content(SHA256.hash(bytes)), size: bytes.count))
        #expect(try await store.get(stored.key) == bytes)
        #expect(try await store.list(in: nil, after: nil, limit: 10).objects.count == 1)
        #expect(try await store.sweepUnfinished(before: S3Service.effects.now().advanced(by: .seconds(60))) == 0)
    }

    @Test("that are replaced while they are read are not given out mixed")
    func changes() async throws {
        let store = try await GoogleStorageService.open(GoogleStorageService.makeBucket())
        let key = things.object(ID<Thing>(at: Timestamp(seconds: 1), random: Random.bytes(10)))
        try await store.put(Random.bytes(9_000_000), as: key)
        let stream = try await store.stream(key)
        var pieces = stream.makeAsyncIterator()
        _ = try await pieces.next()

        try await store.delete([key])
        try await store.put(Random.bytes(9_000_000), as: key)

        let error = await #expect(throws: ServiceError.self) { _ = try await pieces.next() }
        #expect(error?.code == .damaged)
    }

    @Test("that nobody completed are swept away, and only those that are old enough")
    func sweeps() async throws {
        let bucket = try await GoogleStorageService.makeBucket()
        let store = try await GoogleStorageService.open(bucket)
        let kept = things.content(SHA256.hash([1]))
        try await store.put([1], as: kept)
        // More than one page of the list of uploads.
        for _ in 0..<101 {
            let begun = try await GoogleStorageService.send("POST", "/\(bucket)/.incoming/x?uploads", [])
            try #require(begun.status == 200)
        }

        let none = try await store.sweepUnfinished(before: S3Service.effects.now().advanced(by: .seconds(-60)))
        let all = try await store.sweepUnfinished(before: S3Service.effects.now().advanced(by: .seconds(60)))

        #expect((none, all) == (0, 101))
        #expect(try await store.list(in: nil, after: nil, limit: 10).objects.map(\.key) == [kept])
    }

    @Test("are reached without a token where everybody may")
    func anonymous() async throws {
        let store = try await GoogleStorageService.open(GoogleStorageService.makeBucket("public"), token: nil)
        let key = things.content(SHA256.hash([1]))

        try await store.put([1], as: key)

        #expect(try await store.get(key) == [1])
    }

    @Test("are reached with a token that the machine gives, where the settings name the bucket")
    func settings() async throws {
        let endpoint = try #require(GoogleStorageService.endpoint)
        let bucket = try await GoogleStorageService.makeBucket()
        let settings = Settings([
            "PULUMI_CHECKPOINT_BLOB_STORAGE_ENDPOINT": "gs://\(bucket)?endpoint=\(endpoint)",
            "GCE_METADATA_HOST": endpoint.replacing("http://", with: ""), "CAIRN_GOOGLE_IAM_ENDPOINT": endpoint,
        ])
        let configuration = try ObjectStorageConfiguration(settings: settings, dataFolder: "/data", region: nil)
        let access = ObjectStorageConfiguration.Access(
            aws: try AWSConfiguration(settings: settings),
            azure: try AzureConfiguration(settings: settings),
            google: try GoogleConfiguration(settings: settings),
            client: try S3Service.client(),
            effects: S3Service.effects
        )
        let key = things.content(SHA256.hash([1]))

        let store = try await configuration.open(access)
        try await store.put([1], as: key)

        #expect(try await GoogleStorageService.open(bucket).get(key) == [1])
        let url = try await store.signedURL(to: .get, key, for: .seconds(60))
        #expect(url?.url.reveal().contains("Credential=machine%40") == true)
    }

    @Test(
        "are refused with what the operator can do",
        arguments: [
            (nil, "test-token", "it does not exist"),
            ("cairn", "wrong", "the token is refused"),
            ("cairn", nil, "it is not open to everybody"),
            ("denied", "test-token", "storage.objects.create and storage.objects.delete must be permitted"),
        ] as [(String?, String?, String)]
    )
    func namesProblems(kind: String?, token: String?, words: String) async throws {
        let bucket: String
        if let kind {
            bucket = try await GoogleStorageService.makeBucket(kind)
        } else {
            bucket = "missing-\(Hex.encode(Random.bytes(8)))"
        }

        for _ in 0..<2 {
            let error = await #expect(throws: ServiceError.self) {
                _ = try await GoogleStorageService.open(bucket, token: token)
            }

            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("gs://\(bucket)") == true)
            #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
        }
    }
}
