package import Kernel

/// Which master key wraps the data keys.
///
/// | Variable | Meaning | Default |
/// |---|---|---|
/// | `PULUMI_LOCAL_KEYS` | File with a key of 32 bytes or more, or a folder of such files | `keys` in the data folder |
/// | `PULUMI_KMS_KEY` | Key of AWS KMS: its id, `alias/…`, or the ARN of either | none |
/// | `PULUMI_AZURE_KV_URI` | Azure Key Vault; refused until that provider exists | none |
/// | `PULUMI_AZURE_KV_KEY_NAME` | Key in the vault | none |
/// | `PULUMI_AZURE_KV_KEY_VERSION` | Version of that key | none |
///
/// At most one kind may be set. With none, a key is made in the data folder at the first start.
package struct EncryptionConfiguration: Sendable, Equatable {
    /// Where the master key is.
    package enum Place: Sendable, Equatable {
        /// A file or a folder. A missing key may be made only where nothing is configured.
        case local(path: String, makesKey: Bool)
        case awsKMS(key: String)
    }

    package let place: Place

    package init(settings: Settings, dataFolder: String) throws(ConfigurationError) {
        let settings = settings.section()
        let path = settings.string("PULUMI_LOCAL_KEYS")
        let kms = settings.string("PULUMI_KMS_KEY")
        let vault = settings.url("PULUMI_AZURE_KV_URI", schemes: ["https"])
        let vaultKey = settings.string("PULUMI_AZURE_KV_KEY_NAME")
        _ = settings.string("PULUMI_AZURE_KV_KEY_VERSION")
        settings.atMostOne(of: ["PULUMI_LOCAL_KEYS", "PULUMI_KMS_KEY", "PULUMI_AZURE_KV_URI"])
        settings.allOf("PULUMI_AZURE_KV_URI", "PULUMI_AZURE_KV_KEY_NAME")
        if let kms, AWSKey(kms) == nil {
            settings.report("PULUMI_KMS_KEY", "takes the id of a key, alias/…, or the ARN of either")
        }
        if vault != nil || vaultKey != nil {
            settings.report("PULUMI_AZURE_KV_URI", "this version does not take a key of Azure Key Vault")
        }
        try settings.check()
        if let kms {
            place = .awsKMS(key: kms)
        } else {
            place = .local(path: path ?? "\(dataFolder)/keys", makesKey: path == nil)
        }
    }

    /// Whether another service holds the key.
    package var isRemote: Bool {
        if case .local = place { false } else { true }
    }

    /// Where the key is, for the operator.
    package var summary: String {
        switch place {
        case .local(let path, _): "the key in \(path)"
        case .awsKMS(let key): "AWS KMS key \(key)"
        }
    }

    /// What is said when the canary in the database does not fit the key.
    package var wrongKey: ConfigurationError {
        problem("\(summary) is not the one that this database was created with")
    }

    /// A problem of the setting that names the key.
    func problem(_ text: String) -> ConfigurationError {
        let setting =
            switch place {
            case .local: "PULUMI_LOCAL_KEYS"
            case .awsKMS: "PULUMI_KMS_KEY"
            }
        return ConfigurationError([.init(setting: setting, text: text)])
    }
}
