import CloudAccess
import Kernel
import ObjectStorage
import Testing

@Suite("Configuration of object storage")
struct ObjectStorageConfigurationTests {
    private func configuration(
        _ environment: [String: String],
        _ region: String? = "r1"
    ) throws -> ObjectStorageConfiguration {
        try ObjectStorageConfiguration(settings: Settings(environment), dataFolder: "/data", region: region)
    }

    @Test(
        "is a folder",
        arguments: [([:], "/data/objects"), (["PULUMI_LOCAL_OBJECTS": "/mnt/x"], "/mnt/x")]
            as [([String: String], String)]
    )
    func folder(environment: [String: String], path: String) throws {
        guard case .folder(path) = try configuration(environment).checkpoints else {
            Issue.record("not this folder")
            return
        }
    }

    @Test(
        "is a bucket, by the older name too",
        arguments: [
            ("PULUMI_CHECKPOINT_BLOB_STORAGE_ENDPOINT", "s3://states?region=r2", "r2"),
            ("PULUMI_CHECKPOINT_BLOB_STORAGE_ENDPOINT", "s3://states", "r1"),
            ("PULUMI_OBJECTS_BUCKET", "states", "r1"),
        ]
    )
    func bucket(name: String, value: String, region: String) throws {
        let configuration = try configuration([name: value])

        guard case .s3(let location) = configuration.checkpoints else {
            Issue.record("not a bucket of S3")
            return
        }
        #expect((location.bucket, location.region) == ("states", region))
        #expect(configuration.setting == name)
    }

    @Test("is a container")
    func container() throws {
        let environment = [
            checkpoints: "azblob://states", "AZURE_STORAGE_ACCOUNT": "account1", "AZURE_STORAGE_DOMAIN": "blob.example",
        ]

        guard case .azureBlob(let location) = try configuration(environment).checkpoints else {
            Issue.record("not a container")
            return
        }
        #expect(location.origin == "https://account1.blob.example")
    }

    @Test(
        "is a bucket at Google, or where an emulator is said to be",
        arguments: [
            ([checkpoints: "gs://states"], "https://storage.googleapis.com", false),
            ([checkpoints: "gs://states", "STORAGE_EMULATOR_HOST": "fake:4443"], "http://fake:4443", true),
            ([checkpoints: "gs://states", "STORAGE_EMULATOR_HOST": "https://fake/a/"], "https://fake/a", true),
        ] as [([String: String], String, Bool)]
    )
    func googleBucket(environment: [String: String], address: String, isAnonymous: Bool) throws {
        guard case .googleStorage(let location) = try configuration(environment, nil).checkpoints else {
            Issue.record("not a bucket at Google")
            return
        }
        #expect(location.bucket == "states")
        #expect((location.address.url, location.isAnonymous) == (address, isAnonymous))
    }

    @Test(
        "refuses what does not fit, and says where",
        arguments: [
            ([checkpoints: "gs://b"], [checkpoints]),
            ([checkpoints: "gcs://states"], [checkpoints]),
            ([checkpoints: "gs://states?colour=red"], [checkpoints]),
            ([checkpoints: "gs://states", "STORAGE_EMULATOR_HOST": "a b"], ["STORAGE_EMULATOR_HOST"]),
            (
                [checkpoints: "gs://states?universe_domain=a.b", "STORAGE_EMULATOR_HOST": "fake"],
                [checkpoints]
            ),
            ([checkpoints: "gs://states", packs: "gs://states?prefix=b/"], [packs]),
            ([checkpoints: "gs://states", packs: "s3://packs"], [packs]),
            ([checkpoints: "gs://states", "PULUMI_POLICY_PACK_BUCKET": "states"], ["PULUMI_POLICY_PACK_BUCKET"]),
            ([checkpoints: "s3://states", packs: "gs://packs"], [packs]),
            ([checkpoints: "s3://b"], [checkpoints]),
            ([checkpoints: "s3://states?colour=red"], [checkpoints]),
            ([checkpoints: "azblob://states"], [checkpoints]),
            (["PULUMI_OBJECTS_BUCKET": "a/b"], ["PULUMI_OBJECTS_BUCKET"]),
            (["AZURE_STORAGE_KEY": "?"], ["AZURE_STORAGE_KEY", "AZURE_STORAGE_KEY"]),
            (["PULUMI_LOCAL_OBJECTS": "/x", checkpoints: "s3://states"], ["PULUMI_LOCAL_OBJECTS"]),
            ([checkpoints: "s3://states", "PULUMI_OBJECTS_BUCKET": "states"], [checkpoints]),
            ([checkpoints: "s3://states", packs: "s3://states"], [packs]),
            ([checkpoints: "s3://states?prefix=a/", packs: "s3://states?prefix=b/"], [packs]),
            ([checkpoints: "s3://states", "PULUMI_POLICY_PACK_BUCKET": "states"], ["PULUMI_POLICY_PACK_BUCKET"]),
            (
                [packs: "s3://packs", "PULUMI_POLICY_PACK_LOCAL_HTTP_OBJECTS": "/p"],
                ["PULUMI_POLICY_PACK_LOCAL_HTTP_OBJECTS"]
            ),
            (
                ["PULUMI_LOCAL_OBJECTS": "/x", "PULUMI_POLICY_PACK_LOCAL_HTTP_OBJECTS": "/x"],
                ["PULUMI_POLICY_PACK_LOCAL_HTTP_OBJECTS"]
            ),
            ([checkpoints: "s3://states", "AZURE_STORAGE_ACCOUNT": "account1", packs: "azblob://packs"], [packs]),
            (
                [
                    checkpoints: "s3://states", "AZURE_STORAGE_ACCOUNT": "account1",
                    "PULUMI_ENGINE_EVENTS_BLOB_STORAGE_ENDPOINT": "azblob://events",
                    "PULUMI_SERVICE_METADATA_BLOB_STORAGE_ENDPOINT": "azblob://a--b",
                ],
                ["PULUMI_ENGINE_EVENTS_BLOB_STORAGE_ENDPOINT", "PULUMI_SERVICE_METADATA_BLOB_STORAGE_ENDPOINT"]
            ),
        ] as [([String: String], [String])]
    )
    func refuses(environment: [String: String], names: [String]) {
        let error = #expect(throws: ConfigurationError.self) { _ = try configuration(environment) }

        #expect(error?.problems.map(\.setting).sorted() == names.sorted(), "\(String(describing: error))")
    }

    @Test("says that a bucket needs a region, and which settings have no use yet")
    func explains() throws {
        let error = #expect(throws: ConfigurationError.self) {
            _ = try configuration([checkpoints: "s3://states"], nil)
        }
        let settings = Settings([packs: "s3://packs"])
        _ = try ObjectStorageConfiguration(settings: settings, dataFolder: "/data", region: "r")

        #expect(error?.problems.first?.text.contains("AWS_REGION") == true)
        #expect(settings.warnings.count == 1)
    }
}

private let checkpoints = "PULUMI_CHECKPOINT_BLOB_STORAGE_ENDPOINT"
private let packs = "PULUMI_POLICY_PACK_BLOB_STORAGE_ENDPOINT"
