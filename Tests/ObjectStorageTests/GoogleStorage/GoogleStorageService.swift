import CloudAccess
import Crypto
import Foundation
import Kernel
import ObjectStorage
import ServiceTestKit
import Testing
import Transfers

/// The service of `Tests/Counterparts/google_storage.py`, which the vendor's client library has checked.
enum GoogleStorageService {
    static let endpoint = ProcessInfo.processInfo.environment["CAIRN_TEST_GOOGLESTORAGE"]
    static let token = "test-token"

    /// A new bucket.
    ///
    /// - Parameter kind: begins its name; the counterpart treats some specially.
    static func makeBucket(_ kind: String = "cairn") async throws -> String {
        let name = "\(kind)-\(Hex.encode(Random.bytes(8)))"
        let response = try await send("POST", "/storage/v1/b?project=test", Array(#"{"name": "\#(name)"}"#.utf8))
        try #require(response.status == 200, "\(String(decoding: response.body, as: UTF8.self))")
        return name
    }

    static func send(_ method: String, _ path: String, _ body: [UInt8]? = nil) async throws -> TransferResponse {
        let url = try #require(endpoint) + path
        let headers = [("Authorization", "Bearer \(token)"), ("Content-Type", "application/json")]
        return try await S3Service.transfers.perform(
            TransferRequest(method, url, headers: headers, body: body).patient
        )
    }

    static func open(
        _ bucket: String,
        token: String? = Self.token,
        parameters: String = "",
        signer: GoogleURLSigner? = nil
    ) async throws -> BucketObjectStore {
        let url =
            "gs://\(bucket)?endpoint=\(try #require(endpoint))\(token == nil ? "&anonymous=true" : "")\(parameters)"
        return try await GoogleStorageObjectStore.open(
            GoogleStorageLocation(url, emulator: nil),
            token.map { token in .token { Redacted(token) } } ?? .anonymous,
            signer: signer,
            client: S3Service.client(),
            effects: S3Service.effects
        )
    }
}
