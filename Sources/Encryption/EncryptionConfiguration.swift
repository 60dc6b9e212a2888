package import CloudAccess
package import Kernel

/// Which master key wraps the data keys.
///
/// | Variable | Meaning | Default |
/// |---|---|---|
/// | `PULUMI_LOCAL_KEYS` | File with a key of 32 bytes or more, or a folder of such files | `keys` in the data folder |
/// | `PULUMI_KMS_KEY` | Key of AWS KMS: its id, `alias/…`, or the ARN of either | none |
/// | `PULUMI_AZURE_KV_URI` | Azure Key Vault, as `https://name.vault.azure.net` | none |
/// | `PULUMI_AZURE_KV_KEY_NAME` | RSA key in the vault | none |
/// | `PULUMI_AZURE_KV_KEY_VERSION` | Version of that key which wraps new keys | the newest |
/// | `CAIRN_GOOGLE_KMS_KEY` | Key of Google's Cloud KMS, as `projects/…/locations/…/keyRings/…/cryptoKeys/…` | none |
/// | `CAIRN_GOOGLE_KMS_ENDPOINT` | Where Cloud KMS is reached | `https://cloudkms.googleapis.com` |
/// | `CAIRN_VAULT_KEY` | Key of the transit engine of HashiCorp Vault, as `transit/keys/NAME` | none |
/// | `CAIRN_KEYS_ALSO` | Another master key that opens what it wrapped, and wraps nothing: `local:PATH`, `aws:KEY`, \
/// `azure:URI/keys/KEY`, `google:KEY` or `vault:KEY` | none |
///
/// At most one kind may be set. With none, a key is made in the data folder at the first start.
package struct EncryptionConfiguration: Sendable, Equatable {
    /// Where the master key is.
    package enum Place: Sendable, Equatable {
        /// A file or a folder. A missing key may be made only where nothing is configured.
        case local(path: String, makesKey: Bool)
        case awsKMS(key: String)
        case azureKeyVault(uri: String, key: String, version: String?)
        case googleKMS(key: String, ServiceAddress)
        case vaultTransit(VaultKey)
    }

    package let place: Place
    /// Opens what it wrapped, as long as one key follows another.
    package let other: Place?

    package init(settings: Settings, dataFolder: String) throws(ConfigurationError) {
        let settings = settings.section()
        let path = settings.string("PULUMI_LOCAL_KEYS")
        let kms = settings.string("PULUMI_KMS_KEY")
        let vault = settings.url("PULUMI_AZURE_KV_URI", schemes: ["https"])
        let vaultKey = settings.string("PULUMI_AZURE_KV_KEY_NAME")
        let version = settings.string("PULUMI_AZURE_KV_KEY_VERSION")
        let google = Self.google(settings)
        let transit = settings.string("CAIRN_VAULT_KEY")
        let transitKey = transit.flatMap { VaultKey($0) }
        if transit != nil, transitKey == nil { settings.report("CAIRN_VAULT_KEY", "takes a key, as transit/keys/NAME") }
        settings.atMostOne(
            of: [
                "PULUMI_LOCAL_KEYS", "PULUMI_KMS_KEY", "PULUMI_AZURE_KV_URI", "CAIRN_GOOGLE_KMS_KEY", "CAIRN_VAULT_KEY",
            ]
        )
        settings.allOf("PULUMI_AZURE_KV_URI", "PULUMI_AZURE_KV_KEY_NAME")
        Self.report(kms, vault, vaultKey, version, to: settings)
        let also = settings.string(Self.also)
        let other = also.flatMap { Self.place($0, google: google?.address ?? Self.googleAddress) }
        if also != nil, other == nil { settings.report(Self.also, Self.forms) }
        try settings.check()
        self.other = other
        if let kms {
            place = .awsKMS(key: kms)
        } else if let vault, let vaultKey {
            place = .azureKeyVault(uri: vault, key: vaultKey, version: version)
        } else if let google {
            place = google
        } else if let transitKey {
            place = .vaultTransit(transitKey)
        } else {
            place = .local(path: path ?? "\(dataFolder)/keys", makesKey: path == nil)
        }
    }

    private init(place: Place, other: Place?) {
        self.place = place
        self.other = other
    }

    /// The same with another master key, which follows this one: this one opens what it wrapped.
    ///
    /// - Parameter text: as `CAIRN_KEYS_ALSO` takes it.
    package func moved(to text: String) throws(ConfigurationError) -> EncryptionConfiguration {
        guard let next = Self.place(text, google: place.address ?? Self.googleAddress) else {
            throw ConfigurationError([.init(setting: "--to", text: Self.forms)])
        }
        return EncryptionConfiguration(place: next, other: place)
    }

    private static let also = "CAIRN_KEYS_ALSO"
    private static let forms = """
        takes local:PATH, aws:KEY, azure:https://name.vault.azure.net/keys/KEY, google:KEY or vault:transit/keys/KEY
        """
    private static let googleAddress = ServiceAddress(host: "cloudkms.googleapis.com")

    /// Reads a place with its kind before it; nil for anything else.
    private static func place(_ text: String, google: ServiceAddress) -> Place? {
        let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return nil }
        switch parts[0] {
        case "local":
            return .local(path: parts[1], makesKey: false)
        case "aws":
            return AWSKey(parts[1]) == nil ? nil : .awsKMS(key: parts[1])
        case "azure":
            guard let range = parts[1].firstRange(of: "/keys/"), parts[1].hasPrefix("https://"),
                ServiceAddress(String(parts[1][..<range.lowerBound])) != nil,
                KeyVaultKeyProvider.isName(String(parts[1][range.upperBound...]))
            else { return nil }
            let uri = String(parts[1][..<range.lowerBound])
            return .azureKeyVault(uri: uri, key: String(parts[1][range.upperBound...]), version: nil)
        case "google":
            return GoogleKMSKeyProvider.isName(parts[1]) ? .googleKMS(key: parts[1], google) : nil
        case "vault":
            return VaultKey(parts[1]).map { .vaultTransit($0) }
        default:
            return nil
        }
    }

    private static func google(_ settings: Settings) -> Place? {
        let key = settings.string("CAIRN_GOOGLE_KMS_KEY")
        let fallback = "https://cloudkms.googleapis.com"
        let url = settings.url("CAIRN_GOOGLE_KMS_ENDPOINT", schemes: ["https", "http"]) ?? fallback
        let address = ServiceAddress(url)
        if address.map({ $0.scheme == "http" && !$0.isLoopback }) ?? true {
            settings.report("CAIRN_GOOGLE_KMS_ENDPOINT", "takes an https URL without a query: data keys are sent there")
        }
        guard let key, let address else { return nil }
        if !GoogleKMSKeyProvider.isName(key) {
            settings.report(
                "CAIRN_GOOGLE_KMS_KEY",
                "takes the name of a key, as projects/…/locations/…/keyRings/…/cryptoKeys/…"
            )
        }
        return .googleKMS(key: key, address)
    }

    /// Reports names that no service takes.
    private static func report(
        _ kms: String?,
        _ vault: String?,
        _ key: String?,
        _ version: String?,
        to settings: Settings
    ) {
        if let kms, AWSKey(kms) == nil {
            settings.report("PULUMI_KMS_KEY", "takes the id of a key, alias/…, or the ARN of either")
        }
        if let vault, ServiceAddress(vault) == nil {
            settings.report("PULUMI_AZURE_KV_URI", "takes the URL of a vault, as https://name.vault.azure.net")
        }
        if let key, !KeyVaultKeyProvider.isName(key) {
            settings.report("PULUMI_AZURE_KV_KEY_NAME", "takes the name of a key: letters, digits and hyphens")
        }
        if let version, !KeyVaultKeyProvider.isVersion(version) {
            settings.report("PULUMI_AZURE_KV_KEY_VERSION", "takes a version: 32 letters and digits")
        }
        if version != nil, vault == nil {
            settings.report("PULUMI_AZURE_KV_KEY_VERSION", "needs PULUMI_AZURE_KV_URI as well")
        }
    }

    /// Whether another service holds the key.
    package var isRemote: Bool {
        [place, other].contains { place in
            if case .local? = place { false } else { place != nil }
        }
    }

    /// Where the key is, for the operator.
    package var summary: String {
        other.map { "\(place.summary), also \($0.summary)" } ?? place.summary
    }

    /// What is said when the canary in the database does not fit the key.
    package var wrongKey: ConfigurationError {
        problem("\(place.summary) is not the one that this database was created with")
    }

    /// A problem of the setting that names the key.
    func problem(_ text: String, with wrong: Place? = nil) -> ConfigurationError {
        if let wrong, wrong == other { return ConfigurationError([.init(setting: Self.also, text: text)]) }
        let setting =
            switch place {
            case .local: "PULUMI_LOCAL_KEYS"
            case .awsKMS: "PULUMI_KMS_KEY"
            case .azureKeyVault: "PULUMI_AZURE_KV_URI"
            case .googleKMS: "CAIRN_GOOGLE_KMS_KEY"
            case .vaultTransit: "CAIRN_VAULT_KEY"
            }
        return ConfigurationError([.init(setting: setting, text: text)])
    }
}

extension EncryptionConfiguration.Place {
    /// Where the key is, for the operator.
    package var summary: String {
        switch self {
        case .local(let path, _): "the key in \(path)"
        case .awsKMS(let key): "AWS KMS key \(key)"
        case .azureKeyVault(let uri, let key, let version):
            "Azure Key Vault key \(key) at \(uri)\(version.map { ", version \($0)" } ?? "")"
        case .googleKMS(let key, _): "Cloud KMS key \(key)"
        case .vaultTransit(let key): "Vault key \(key)"
        }
    }

    /// Of Cloud KMS; nil for others.
    fileprivate var address: ServiceAddress? {
        if case .googleKMS(_, let address) = self { address } else { nil }
    }
}
