import CloudAccess
import Crypto
import Foundation
import Kernel
import ObjectStorage
import OutboundHTTP
import ServiceTestKit
import Testing
import Transfers

/// The service of `Tests/Counterparts/azure_blob.py`, which the vendor's client library has checked.
enum AzureService {
    static let endpoint = ProcessInfo.processInfo.environment["CAIRN_TEST_AZUREBLOB"]
    static let account = "cairntest"
    static let key = Redacted(Base64.encode(Array("a key of an account that only tests have".utf8)))

    static func makeContainer() async throws -> String {
        let name = "cairn-\(Hex.encode(Random.bytes(8)))"
        let key = try #require(AzureSharedKey(account: account, key: key))
        let request = AzureStorageRequest(
            "PUT",
            origin: try #require(endpoint),
            path: "/\(account)/\(name)",
            query: [("restype", "container")],
            body: []
        )
        let signed = key.sign(request, version: "2020-10-02", at: S3Service.effects.now())
        let response = try await S3Service.transfers.perform(signed.patient)
        try #require(response.status == 201, "\(String(decoding: response.body, as: UTF8.self))")
        return name
    }

    static func open(
        _ container: String,
        _ authorization: AzureBlobAuthorization? = nil,
        parameters: String = ""
    ) async throws -> BucketObjectStore {
        let domain = try #require(endpoint).replacing("http://", with: "")
        let environment = ["AZURE_STORAGE_ACCOUNT": account, "AZURE_STORAGE_KEY": key.reveal()]
        let location = try AzureBlobLocation(
            "azblob://\(container)?protocol=http&domain=\(domain)\(parameters)",
            account: AzureBlobLocation.Account(settings: Settings(environment))
        )
        return try await AzureBlobObjectStore.open(
            location,
            authorization ?? .key(#require(AzureSharedKey(account: account, key: key))),
            client: S3Service.client(),
            effects: S3Service.effects
        )
    }
}

@Suite("Objects in Azure Blob Storage", .enabled(if: AzureService.endpoint != nil, "see ./dev services start"))
struct AzureBlobObjectStoreTests {
    private let things = ObjectFolder("things")

    @Test("do what every store does, with and without a prefix", arguments: ["", "&prefix=a%20b/ü/"])
    func conformance(parameters: String) async throws {
        let store = try await AzureService.open(AzureService.makeContainer(), parameters: parameters)

        try await ObjectStoreConformance(store).run()
    }

    @Test("of many parts come back whole")
    func largeObjects() async throws {
        let store = try await AzureService.open(AzureService.makeContainer())
        let bytes = Random.bytes(20_000_000)
        let key = things.content(SHA256.hash(bytes))

        try await store.put(bytes, as: key)

        #expect(try await store.get(key) == bytes)
    }

    @Test("are reached with a bearer token as well")
    func usesToken() async throws {
        let container = try await AzureService.makeContainer()
        let store = try await AzureService.open(container, .token { Redacted("test-token") })
        let key = things.content(SHA256.hash([1]))

        try await store.put([1], as: key)

        #expect(try await AzureService.open(container).get(key) == [1])
    }

    @Test("are refused when the container is missing or the key is wrong")
    func namesProblems() async throws {
        let container = try await AzureService.makeContainer()
        let wrong = try #require(AzureSharedKey(account: AzureService.account, key: Redacted("d3Jvbmc=")))

        let missing = await #expect(throws: ServiceError.self) { _ = try await AzureService.open("not-there") }
        let refused = await #expect(throws: ServiceError.self) {
            _ = try await AzureService.open(container, .key(wrong))
        }

        #expect(missing?.message.contains("does not exist") == true, "\(missing?.message ?? "")")
        #expect(refused?.message.contains("key, signature or token is wrong") == true, "\(refused?.message ?? "")")
    }
}
