import CloudAccess
import Crypto
import Kernel
import ObjectStorage
import Testing

@Suite("Objects in S3", .enabled(if: !S3Service.running.isEmpty, "no service runs; see ./dev services start"))
struct S3ObjectStoreTests {
    private enum Thing {}
    private let things = ObjectFolder("things")

    @Test(
        "do what every store does, with and without a prefix",
        arguments: S3Service.running,
        ["", "&prefix=a%20b/ü/"]
    )
    func conformance(service: S3Service, parameters: String) async throws {
        let store = try await service.open(service.makeBucket(), parameters: parameters)

        try await ObjectStoreConformance(store).run()

        #expect(try await store.sweepUnfinished(before: S3Service.effects.now().advanced(by: .seconds(60))) == 0)
    }

    @Test("under different prefixes of a bucket are kept apart", arguments: S3Service.running)
    func prefixes(service: S3Service) async throws {
        let bucket = try await service.makeBucket()
        let one = try await service.open(bucket, parameters: "&prefix=one/")
        let other = try await service.open(bucket, parameters: "&prefix=other/")
        let key = things.content(SHA256.hash([1]))

        try await one.put([1], as: key)

        #expect(try await other.size(of: key) == nil)
        #expect(try await other.list(in: nil, after: nil, limit: 10).objects.isEmpty)
        #expect(try await one.list(in: nil, after: nil, limit: 10).objects.map(\.key) == [key])
    }

    @Test("of many parts come back whole, in one piece and in several", arguments: S3Service.running)
    func largeObjects(service: S3Service) async throws {
        let store = try await service.open(service.makeBucket())
        let bytes = Random.bytes(36_000_000)
        let key = things.content(SHA256.hash(bytes))

        try await store.put(bytes, as: key)

        #expect(try await store.get(key) == bytes)
        var streamed: [UInt8] = []
        for try await piece in try await store.stream(key) { streamed += piece }
        #expect(streamed == bytes)
        let named = things.object(ID<Thing>(at: Timestamp(seconds: 1), random: Random.bytes(10)))
        try await store.put(bytes, as: named)
        #expect(try await store.get(named, range: 8_388_000..<26_000_000) == Array(bytes[8_388_000..<26_000_000]))
    }

    @Test("that nobody completed are swept away, and only those", arguments: S3Service.running)
    func sweeps(service: S3Service) async throws {
        let store = try await service.open(service.makeBucket())
        let kept = things.content(SHA256.hash([1]))
        try await store.put([1], as: kept)
        let body = AsyncThrowingStream<[UInt8], any Error> { continuation in
            continuation.yield(Random.bytes(9_000_000))
            continuation.finish(throwing: CancellationError())
        }
        await #expect(throws: CancellationError.self) { _ = try await store.putContent(body, in: things) }

        _ = try await store.sweepUnfinished(before: S3Service.effects.now().advanced(by: .seconds(60)))

        #expect(try await store.list(in: nil, after: nil, limit: 10).objects.map(\.key) == [kept])
    }

    @Test("are refused when there is no such bucket, and none is made", arguments: S3Service.running)
    func namesMissingBucket(service: S3Service) async throws {
        let bucket = "missing-\(Hex.encode(Random.bytes(8)))"

        for _ in 0..<2 {
            let error = await #expect(throws: ServiceError.self) { _ = try await service.open(bucket) }

            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("does not exist") == true, "\(error?.message ?? "")")
        }
    }

    @Test("are refused when the keys are wrong", .enabled(if: S3Service.seaweedfs.endpoint != nil))
    func checksSignature() async throws {
        let service = S3Service.seaweedfs
        let bucket = try await service.makeBucket()
        let wrong = AWSCredentials(accessKeyID: "cairn-access", secretAccessKey: Redacted("wrong"))
        let unknown = AWSCredentials(accessKeyID: "nobody", secretAccessKey: Redacted("wrong"))

        let first = await #expect(throws: ServiceError.self) { _ = try await service.open(bucket, credentials: wrong) }
        let second = await #expect(throws: ServiceError.self) {
            _ = try await service.open(bucket, credentials: unknown)
        }

        #expect(first?.message.contains("AWS_SECRET_ACCESS_KEY") == true, "\(first?.message ?? "")")
        #expect(second?.message.contains("access key") == true, "\(second?.message ?? "")")
    }
}
