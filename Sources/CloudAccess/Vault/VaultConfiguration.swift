package import Kernel

/// Where HashiCorp Vault, or OpenBao, is reached, and who this server is to it.
///
/// The names without `CAIRN_` are those of Vault's own programs.
///
/// | Variable | Meaning | Default |
/// |---|---|---|
/// | `VAULT_ADDR` | Its address | `https://127.0.0.1:8200` |
/// | `VAULT_NAMESPACE` | Namespace of everything that is asked for | none |
/// | `VAULT_TOKEN` | Token, renewed as long as it may be (**secret**) | none |
/// | `CAIRN_VAULT_TOKEN_FILE` | File in which somebody else keeps a token, such as Vault's agent | none |
/// | `CAIRN_VAULT_ROLE_ID` | Role of an application that logs in by AppRole | none |
/// | `CAIRN_VAULT_SECRET_ID` | Its secret (**secret**) | none |
/// | `CAIRN_VAULT_KUBERNETES_ROLE` | Role of a pod that logs in with the token of its service account | none |
/// | `CAIRN_VAULT_LOGIN_PATH` | Where the last two log in | `auth/approle` or `auth/kubernetes` |
///
/// One way to log in is set. The token of a pod is where Kubernetes puts it.
package struct VaultConfiguration: Sendable {
    /// How a token is come by.
    package enum Login: Sendable {
        case token(Redacted<String>)
        case file(String)
        case appRole(id: String, secret: Redacted<String>, path: String)
        case kubernetes(role: String, path: String)
    }

    package let address: ServiceAddress
    package let namespace: String?
    /// Nil where nothing is set, which matters only when something is asked for.
    package let login: Login?

    /// What is set one of, for messages.
    package static let logins = [
        "VAULT_TOKEN", "CAIRN_VAULT_TOKEN_FILE", "CAIRN_VAULT_ROLE_ID", "CAIRN_VAULT_KUBERNETES_ROLE",
    ]
    private static let usualAddress = "https://127.0.0.1:8200"

    package init(settings: Settings) throws(ConfigurationError) {
        let settings = settings.section()
        let url = settings.url("VAULT_ADDR", schemes: ["https", "http"]) ?? Self.usualAddress
        let address = ServiceAddress(url)
        if address.map({ $0.scheme == "http" && !$0.isLoopback }) ?? true {
            settings.report("VAULT_ADDR", "takes an https URL without a query: data keys are sent there")
        }
        namespace = settings.string("VAULT_NAMESPACE")
        if let namespace, !Self.isPath(namespace) {
            settings.report("VAULT_NAMESPACE", "takes names with / between them")
        }
        let token = settings.secret("VAULT_TOKEN")
        if let token, !Self.isToken(token.reveal()) {
            settings.report("VAULT_TOKEN", "has characters that no token has, such as a line break")
        }
        let file = settings.string("CAIRN_VAULT_TOKEN_FILE")
        let id = settings.string("CAIRN_VAULT_ROLE_ID")
        let secret = settings.secret("CAIRN_VAULT_SECRET_ID")
        let role = settings.string("CAIRN_VAULT_KUBERNETES_ROLE")
        let path = settings.string("CAIRN_VAULT_LOGIN_PATH")
        settings.allOf("CAIRN_VAULT_ROLE_ID", "CAIRN_VAULT_SECRET_ID")
        settings.atMostOne(of: Self.logins)
        if let path, !Self.isPath(path) { settings.report("CAIRN_VAULT_LOGIN_PATH", "takes a path, as auth/approle") }
        try settings.check()
        self.address = address ?? ServiceAddress(host: "127.0.0.1")
        if let token {
            login = .token(token)
        } else if let file {
            login = .file(file)
        } else if let id, let secret {
            login = .appRole(id: id, secret: secret, path: path ?? "auth/approle")
        } else if let role {
            login = .kubernetes(role: role, path: path ?? "auth/kubernetes")
        } else {
            login = nil
        }
    }

    /// Whether it is names with `/` between them, which need no escapes in a URL and lead nowhere else.
    package static func isPath(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        return parts.allSatisfy { part in
            !part.isEmpty && part != "." && part != ".." && part.utf8.allSatisfy(isNameByte)
        }
    }

    static func isToken(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == UInt8(ascii: "-")
            || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
    }
}
