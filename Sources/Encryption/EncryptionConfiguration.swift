import Crypto
package import Kernel

/// Which master key wraps the data keys.
///
/// | Variable | Meaning | Default |
/// |---|---|---|
/// | `PULUMI_LOCAL_KEYS` | File with a key of 32 bytes or more, or a folder of such files | `keys` in the data folder |
/// | `PULUMI_KMS_KEY` | Key of AWS KMS; refused until that provider exists | none |
/// | `PULUMI_AZURE_KV_URI` | Azure Key Vault; refused until that provider exists | none |
/// | `PULUMI_AZURE_KV_KEY_NAME` | Key in the vault | none |
/// | `PULUMI_AZURE_KV_KEY_VERSION` | Version of that key | none |
///
/// At most one kind may be set. With none, a key is made in the data folder at the first start.
package struct EncryptionConfiguration: Sendable, Equatable {
    /// A file or a folder.
    package let keys: String
    /// Whether a missing key may be made: only where nothing is configured.
    package let makesKey: Bool

    package init(settings: Settings, dataFolder: String) throws(ConfigurationError) {
        let settings = settings.section()
        let path = settings.string("PULUMI_LOCAL_KEYS")
        let kms = settings.string("PULUMI_KMS_KEY")
        let vault = settings.url("PULUMI_AZURE_KV_URI", schemes: ["https"])
        let vaultKey = settings.string("PULUMI_AZURE_KV_KEY_NAME")
        _ = settings.string("PULUMI_AZURE_KV_KEY_VERSION")
        settings.atMostOne(of: ["PULUMI_LOCAL_KEYS", "PULUMI_KMS_KEY", "PULUMI_AZURE_KV_URI"])
        settings.allOf("PULUMI_AZURE_KV_URI", "PULUMI_AZURE_KV_KEY_NAME")
        if kms != nil { settings.report("PULUMI_KMS_KEY", Self.localOnly) }
        if vault != nil || vaultKey != nil { settings.report("PULUMI_AZURE_KV_URI", Self.localOnly) }
        try settings.check()
        keys = path ?? "\(dataFolder)/keys"
        makesKey = path == nil
    }

    private static let localOnly = "this version takes a local key only; set PULUMI_LOCAL_KEYS"

    /// Reads the key, or makes one at the first start; blocks.
    ///
    /// - Parameters:
    ///   - mayMakeKey: false when the database has a canary already. A new key would not open what it holds.
    ///   - settings: takes the warnings.
    package func open(mayMakeKey: Bool, settings: Settings) throws(ConfigurationError) -> LocalKeyProvider {
        do {
            if makesKey, mayMakeKey { _ = try LocalKeyFiles.makeKey(in: keys) }
            let found = try LocalKeyFiles.load(keys)
            for warning in found.warnings { settings.warn("PULUMI_LOCAL_KEYS", warning) }
            return LocalKeyProvider(current: found.current, older: found.older)
        } catch {
            throw ConfigurationError([.init(setting: "PULUMI_LOCAL_KEYS", text: error.description)])
        }
    }

    /// What is said when the canary in the database does not fit the key.
    package var wrongKey: ConfigurationError {
        let text = "the key in \(keys) is not the one that this database was created with"
        return ConfigurationError([.init(setting: "PULUMI_LOCAL_KEYS", text: text)])
    }
}
