import CloudAccess
package import Kernel

/// A container of Azure Blob Storage, as a URL and the account's settings name it: `azblob://container?…`.
///
/// Source: `spec/self-hosting.md` §1.3, §2.4.
package struct AzureBlobLocation: Sendable {
    package let container: String
    package let account: String
    package let prefix: String
    /// Scheme and host.
    package let origin: String
    /// What comes before the container in a path: the account's name, where it is not in the host.
    package let base: String

    /// What the settings say besides the URL.
    ///
    /// | Variable | Meaning | Default |
    /// |---|---|---|
    /// | `AZURE_STORAGE_ACCOUNT` | Storage account | none |
    /// | `AZURE_STORAGE_KEY` | Its key, base64 text (**secret**) | none: an identity is used |
    /// | `AZURE_STORAGE_SAS_TOKEN` | Shared access signature (**secret**) | none |
    /// | `AZURE_STORAGE_DOMAIN` | End of the host's name | `blob.core.windows.net` |
    package struct Account: Sendable {
        package let name: String?
        package let key: Redacted<String>?
        package let token: Redacted<String>?
        package let domain: String

        package init(settings: Settings) throws(ConfigurationError) {
            let settings = settings.section()
            name = settings.string("AZURE_STORAGE_ACCOUNT")
            key = settings.secret("AZURE_STORAGE_KEY")
            token = settings.secret("AZURE_STORAGE_SAS_TOKEN")
            domain = settings.string("AZURE_STORAGE_DOMAIN", default: "blob.core.windows.net")
            if let name, !Self.isName(name) {
                settings.report("AZURE_STORAGE_ACCOUNT", "'\(name)' is no name of an account: 3 to 24 of a-z and 0-9")
            }
            if let key, AzureSharedKey(account: name ?? "", key: key) == nil {
                settings.report("AZURE_STORAGE_KEY", "takes base64 text, as the portal shows it")
            }
            if key != nil, name == nil { settings.report("AZURE_STORAGE_KEY", "needs AZURE_STORAGE_ACCOUNT") }
            try settings.check()
        }

        static func isName(_ name: String) -> Bool {
            (3...24).contains(name.utf8.count)
                && name.utf8.allSatisfy { (48...57).contains($0) || (97...122).contains($0) }
        }
    }

    /// Reads a URL.
    ///
    /// - Throws: `BucketURLProblem`, all that is wrong in one text.
    package init(_ url: String, account settings: Account) throws(BucketURLProblem) {
        guard url.hasPrefix("azblob://") else { throw BucketURLProblem("does not begin with azblob://") }
        let parts = url.dropFirst("azblob://".count).split(
            separator: "?",
            maxSplits: 1,
            omittingEmptySubsequences: false
        )
        container = String(parts[0])
        var reader = ParameterReader(parts.count > 1 ? parts[1] : "")
        let scheme = reader.choice("protocol", Scheme.allCases) ?? .https
        let domain = reader.text("domain") ?? settings.domain
        let isContentNetwork = reader.flag("cdn")
        let isEmulator = reader.flag("localemu")
        account = reader.text("storage_account") ?? settings.name ?? ""
        prefix = reader.text("prefix") ?? ""
        if account.isEmpty { reader.report("needs a storage account: set AZURE_STORAGE_ACCOUNT") }
        if !account.isEmpty, !Account.isName(account) { reader.report("'\(account)' is no name of an account") }
        if !Self.isContainer(container) {
            reader.report("'\(container)' is no name of a container: 3 to 63 of a-z, 0-9 and single '-'")
        }
        let server = HostAndPort(domain)
        if server == nil { reader.report("domain takes host or host:port") }
        let problems = reader.finish()
        if !problems.isEmpty { throw BucketURLProblem(problems.joined(separator: "; ")) }
        let isLocal = isEmulator || Self.isLocal(server?.host ?? "")
        base = isLocal ? "/\(account)" : ""
        origin = "\(scheme.rawValue)://\(isLocal || isContentNetwork ? "" : "\(account).")\(domain)"
    }

    private enum Scheme: String, CaseIterable {
        case https
        case http
    }

    private static func isLocal(_ host: String) -> Bool {
        host == "localhost" || host.contains(":") || host.allSatisfy { $0.isNumber || $0 == "." }
    }

    private static func isContainer(_ name: String) -> Bool {
        let isGood = name.utf8.allSatisfy { (48...57).contains($0) || (97...122).contains($0) || $0 == 45 }
        return isGood && (3...63).contains(name.utf8.count) && !name.contains("--") && name.first != "-"
            && name.last != "-"
    }
}
