package import Kernel

/// Where checkpoints and everything else that is large are kept.
///
/// | Variable | Meaning | Default |
/// |---|---|---|
/// | `PULUMI_LOCAL_OBJECTS` | Folder for objects; several instances may share it | `objects` in the data folder |
/// | `PULUMI_CHECKPOINT_BLOB_STORAGE_ENDPOINT` | `s3://…` or `azblob://…`; refused until those stores exist | none |
///
/// At most one of them may be set. `PULUMI_OBJECTS_BUCKET` is the older name of a bucket.
package struct ObjectStorageConfiguration: Sendable, Equatable {
    package let folder: String

    package init(settings: Settings, dataFolder: String) throws(ConfigurationError) {
        let settings = settings.section()
        let endpoint = "PULUMI_CHECKPOINT_BLOB_STORAGE_ENDPOINT"
        folder = settings.string("PULUMI_LOCAL_OBJECTS", default: "\(dataFolder)/objects")
        let bucket = settings.url("PULUMI_CHECKPOINT_BLOB_STORAGE_ENDPOINT", schemes: ["s3", "azblob"])
        let legacyBucket = settings.string("PULUMI_OBJECTS_BUCKET")
        settings.atMostOne(of: ["PULUMI_LOCAL_OBJECTS", endpoint, "PULUMI_OBJECTS_BUCKET"])
        if bucket != nil { settings.report(endpoint, "this version stores objects in folders only") }
        if legacyBucket != nil {
            settings.report("PULUMI_OBJECTS_BUCKET", "this version stores objects in folders only")
        }
        try settings.check()
    }

    /// Opens the folder; blocks.
    package func open(pool: BlockingPool) throws(ConfigurationError) -> FolderObjectStore {
        try FolderObjectStore(path: folder, setting: "PULUMI_LOCAL_OBJECTS", pool: pool)
    }
}
