import Kernel
import ObjectStorage
import Testing

@Suite("Configuration of object storage")
struct ObjectStorageConfigurationTests {
    @Test(
        "is a folder",
        arguments: [([:], "/data/objects"), (["PULUMI_LOCAL_OBJECTS": "/mnt/x"], "/mnt/x")]
            as [([String: String], String)]
    )
    func folder(environment: [String: String], path: String) throws {
        let configuration = try ObjectStorageConfiguration(settings: Settings(environment), dataFolder: "/data")

        #expect(configuration.folder == path)
    }

    @Test(
        "refuses what it cannot do, and two stores at once",
        arguments: [
            (
                ["PULUMI_CHECKPOINT_BLOB_STORAGE_ENDPOINT": "s3://b"],
                ["PULUMI_CHECKPOINT_BLOB_STORAGE_ENDPOINT: this version stores objects in folders only"]
            ),
            (
                ["PULUMI_OBJECTS_BUCKET": "b"],
                ["PULUMI_OBJECTS_BUCKET: this version stores objects in folders only"]
            ),
            (
                ["PULUMI_CHECKPOINT_BLOB_STORAGE_ENDPOINT": "gs://b"],
                [
                    "PULUMI_CHECKPOINT_BLOB_STORAGE_ENDPOINT: found \"gs://b\"; "
                        + "takes a URL that begins with s3:// or azblob://"
                ]
            ),
            (
                ["PULUMI_LOCAL_OBJECTS": "/x", "PULUMI_CHECKPOINT_BLOB_STORAGE_ENDPOINT": "azblob://c"],
                [
                    "PULUMI_LOCAL_OBJECTS: cannot be set together with PULUMI_CHECKPOINT_BLOB_STORAGE_ENDPOINT",
                    "PULUMI_CHECKPOINT_BLOB_STORAGE_ENDPOINT: this version stores objects in folders only",
                ]
            ),
        ] as [([String: String], [String])]
    )
    func refuses(environment: [String: String], problems: [String]) {
        let error = #expect(throws: ConfigurationError.self) {
            try ObjectStorageConfiguration(settings: Settings(environment), dataFolder: "/data")
        }

        #expect(error?.problems.map(\.description) == problems)
    }
}
