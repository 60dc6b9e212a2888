import CloudAccess
import Crypto
import Foundation
import Kernel
import ObjectStorage
import OutboundHTTP
import ServiceTestKit
import Testing
import Transfers

/// Servers that speak S3, as `./dev services` has started them.
enum S3Service: String, CaseIterable {
    /// Checks signatures.
    case seaweedfs = "CAIRN_TEST_SEAWEEDFS"
    case moto = "CAIRN_TEST_MOTO"

    static var running: [S3Service] { allCases.filter { $0.endpoint != nil } }

    /// Such as `http://127.0.0.1:8333`.
    var endpoint: String? { ProcessInfo.processInfo.environment[rawValue] }

    static let credentials = AWSCredentials(accessKeyID: "cairn-access", secretAccessKey: Redacted("cairn-secret"))
    static let transfers = Transfers()
    static let effects = Effects(
        now: { Timestamp(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000)) },
        randomBytes: { Random.bytes($0) }
    )

    static func client() throws -> ServiceClient {
        ServiceClient(
            try OutboundConfiguration(settings: Settings([:])),
            transfers: transfers,
            leastAttempt: .seconds(30)
        )
    }

    /// A new bucket.
    func makeBucket() async throws -> String {
        let name = "cairn-\(Hex.encode(Random.bytes(8)))"
        let host = try #require(endpoint).replacing("http://", with: "")
        let request = AWSRequest("PUT", scheme: "http", host: host, path: "/\(name)", body: [])
        let signer = AWSSigner(region: "us-east-1", service: "s3")
        let signed = signer.sign(request, with: Self.credentials, at: Self.effects.now())
        let response = try await Self.transfers.perform(signed.patient)
        try #require(response.status == 200, "\(String(decoding: response.body, as: UTF8.self))")
        return name
    }

    /// A store in a bucket.
    func open(
        _ bucket: String,
        parameters: String = "",
        credentials: AWSCredentials = Self.credentials
    ) async throws -> BucketObjectStore {
        let url = "s3://\(bucket)?endpoint=\(try #require(endpoint))&s3ForcePathStyle=true\(parameters)"
        return try await S3ObjectStore.open(
            S3Location(url, region: nil),
            credentials: FixedAWSCredentials(credentials),
            client: Self.client(),
            effects: Self.effects
        )
    }
}
