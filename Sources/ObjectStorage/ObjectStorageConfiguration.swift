import CloudAccess
package import Kernel

/// Where checkpoints and everything else that is large are kept.
///
/// | Variable | Meaning | Default |
/// |---|---|---|
/// | `PULUMI_LOCAL_OBJECTS` | Folder for objects; several instances may share it | `objects` in the data folder |
/// | `PULUMI_CHECKPOINT_BLOB_STORAGE_ENDPOINT` | Bucket for objects, `s3://…`, `azblob://…` or `gs://…` | none |
/// | `PULUMI_OBJECTS_BUCKET` | The older name: a bucket of Amazon's S3 | none |
/// | `PULUMI_POLICY_PACK_LOCAL_HTTP_OBJECTS` | Folder for policy packs; no use yet | none |
/// | `PULUMI_POLICY_PACK_BLOB_STORAGE_ENDPOINT` | Bucket for policy packs; only tried so far | none |
/// | `PULUMI_POLICY_PACK_BUCKET` | The older name | none |
/// | `PULUMI_ENGINE_EVENTS_BLOB_STORAGE_ENDPOINT` | Bucket for large batches of engine events | that of objects |
/// | `PULUMI_SERVICE_METADATA_BLOB_STORAGE_ENDPOINT` | Bucket for metadata; only tried so far | none |
/// | `STORAGE_EMULATOR_HOST` | Where `gs://` is reached instead of Google, without tokens | none |
///
/// One of the first three may be set. Buckets are of one service, and policy packs have one of their own
/// (`spec/self-hosting.md` §1.3, §1.15).
package struct ObjectStorageConfiguration: Sendable {
    /// Where objects of one purpose are kept.
    package enum Place: Sendable {
        case folder(String)
        case s3(S3Location)
        case azureBlob(AzureBlobLocation)
        case googleStorage(GoogleStorageLocation)
    }

    package let checkpoints: Place
    /// The variable that says so.
    package let setting: String
    /// Where large batches of engine events are kept, and the variable that says so; nil for the place of checkpoints.
    package let events: (setting: String, place: Place)?
    /// Buckets of purposes that do not exist yet, which are tried at the start, and the variables that name them.
    package let others: [(setting: String, place: Place)]
    package let azure: AzureBlobLocation.Account

    /// - Parameter region: of buckets whose URL names none.
    package init(settings: Settings, dataFolder: String, region: String?) throws(ConfigurationError) {
        let settings = settings.section()
        let account = settings.build { settings throws(ConfigurationError) in
            try AzureBlobLocation.Account(settings: settings)
        }
        let folder = settings.string("PULUMI_LOCAL_OBJECTS", default: "\(dataFolder)/objects")
        var reader = PlaceReader(
            settings: settings,
            account: account,
            emulator: settings.emulator("STORAGE_EMULATOR_HOST"),
            region: region
        )
        let endpoint = reader.bucket("PULUMI_CHECKPOINT_BLOB_STORAGE_ENDPOINT")
        let older = reader.amazonBucket("PULUMI_OBJECTS_BUCKET")
        let names = ["PULUMI_LOCAL_OBJECTS", "PULUMI_CHECKPOINT_BLOB_STORAGE_ENDPOINT", "PULUMI_OBJECTS_BUCKET"]
        settings.atMostOne(of: names)
        let packNames = [
            "PULUMI_POLICY_PACK_LOCAL_HTTP_OBJECTS", "PULUMI_POLICY_PACK_BLOB_STORAGE_ENDPOINT",
            "PULUMI_POLICY_PACK_BUCKET",
        ]
        let packFolder = settings.string("PULUMI_POLICY_PACK_LOCAL_HTTP_OBJECTS")
        let packs = [reader.bucket(packNames[1]), reader.amazonBucket(packNames[2])].compactMap { $0 }.first
        settings.atMostOne(of: packNames)
        let eventName = "PULUMI_ENGINE_EVENTS_BLOB_STORAGE_ENDPOINT"
        events = reader.bucket(eventName).map { (eventName, $0) }
        let metadataName = "PULUMI_SERVICE_METADATA_BLOB_STORAGE_ENDPOINT"
        let metadata = reader.bucket(metadataName)
        setting = names.first { settings.isSet($0) } ?? names[0]
        checkpoints = endpoint ?? older ?? .folder(folder)
        if packFolder == folder {
            settings.report(packNames[0], "is the folder of \(names[0]); policy packs need another")
        }
        let packName = settings.isSet(packNames[2]) ? packNames[2] : packNames[1]
        if let packs, packs.isSame(as: checkpoints) {
            settings.report(packName, "names the bucket of \(setting); policy packs need another")
        }
        others = [(packName, packs), (metadataName, metadata)].compactMap { name, place in place.map { (name, $0) } }
        for (name, place) in others + [events].compactMap(\.self)
        where place.service != checkpoints.service && checkpoints.service != nil {
            settings.report(name, "is of another service than \(setting); all buckets must be of one")
        }
        for name in packNames + [metadataName] where settings.isSet(name) {
            settings.warn(name, "this version has no use for it yet, but for trying it")
        }
        try settings.check()
        guard let account else { throw ConfigurationError([]) }
        azure = account
    }
}

extension ObjectStorageConfiguration.Place: CustomStringConvertible {
    /// As an operator would name it, without keys.
    package var description: String {
        switch self {
        case .folder(let path): path
        case .s3(let location): "s3://\(location.bucket)/\(location.prefix) at \(location.host)"
        case .azureBlob(let location): "azblob://\(location.container)/\(location.prefix) of \(location.account)"
        case .googleStorage(let location): "gs://\(location.bucket)/\(location.prefix) at \(location.address.host)"
        }
    }

    /// Whether it is a service that must be reached.
    package var isRemote: Bool { service != nil }

    /// Nil for a folder.
    fileprivate var service: String? {
        switch self {
        case .folder: nil
        case .s3: "s3"
        case .azureBlob: "azblob"
        case .googleStorage: "gs"
        }
    }

    /// Whether objects of the other place would lie among those of this one.
    fileprivate func isSame(as other: Self) -> Bool {
        switch (self, other) {
        case (.s3(let one), .s3(let other)): (one.host, one.bucket) == (other.host, other.bucket)
        case (.azureBlob(let one), .azureBlob(let other)):
            (one.origin, one.base, one.container) == (other.origin, other.base, other.container)
        case (.googleStorage(let one), .googleStorage(let other)):
            (one.address, one.bucket) == (other.address, other.bucket)
        default: false
        }
    }
}

extension Settings {
    fileprivate func emulator(_ name: String) -> ServiceAddress? {
        guard let text = string(name) else { return nil }
        if let address = GoogleStorageLocation.emulator(text) { return address }
        report(name, "takes host:port, or a URL of http or https without a user and without a query")
        return nil
    }
}

/// Reads the variables that name a bucket.
private struct PlaceReader {
    let settings: Settings
    let account: AzureBlobLocation.Account?
    let emulator: ServiceAddress?
    let region: String?

    mutating func bucket(_ name: String) -> ObjectStorageConfiguration.Place? {
        guard let url = settings.url(name, schemes: ["s3", "azblob", "gs"]) else { return nil }
        do {
            if url.hasPrefix("s3:") { return .s3(try S3Location(url, region: region)) }
            if url.hasPrefix("gs:") { return .googleStorage(try GoogleStorageLocation(url, emulator: emulator)) }
            guard let account else { return nil }
            return .azureBlob(try AzureBlobLocation(url, account: account))
        } catch {
            settings.report(name, error.description)
            return nil
        }
    }

    mutating func amazonBucket(_ name: String) -> ObjectStorageConfiguration.Place? {
        guard let bucket = settings.string(name) else { return nil }
        do {
            return .s3(try S3Location("s3://\(bucket)", region: region))
        } catch {
            settings.report(name, error.description)
            return nil
        }
    }
}
