package import Kernel

/// Who this server is to Azure.
///
/// The names are those of the vendor's libraries, so that what works for them works here.
///
/// | Variable | Meaning | Default |
/// |---|---|---|
/// | `AZURE_TENANT_ID` | Tenant of a service principal | none |
/// | `AZURE_CLIENT_ID` | The service principal, or one of several managed identities | the machine's identity |
/// | `AZURE_CLIENT_SECRET` | The principal's secret; secret | none |
/// | `AZURE_FEDERATED_TOKEN_FILE` | Set by AKS: file with a token that stands for the secret | none |
/// | `AZURE_AUTHORITY_HOST` | Where principals get their tokens | `https://login.microsoftonline.com` |
/// | `AZURE_SUBSCRIPTION_ID` | Read and not used | none |
/// | `IDENTITY_ENDPOINT`, `IDENTITY_HEADER` | Set by App Service and others: where tokens come from; secret | none |
/// | `AZURE_POD_IDENTITY_AUTHORITY_HOST` | Where the machine is asked | `http://169.254.169.254` |
package struct AzureConfiguration: Sendable {
    /// Where tokens come from.
    package enum Origin: Sendable, Equatable {
        case secret(Redacted<String>, client: String, tenant: String)
        case federated(tokenFile: String, client: String, tenant: String)
        /// App Service, functions and container apps.
        case service(url: String, header: Redacted<String>, client: String?)
        /// The machine itself.
        case instance(url: String, client: String?)
    }

    package let origin: Origin
    let authority: ServiceAddress

    package init(settings: Settings) throws(ConfigurationError) {
        let settings = settings.section()
        let tenant = settings.string("AZURE_TENANT_ID")
        let client = settings.string("AZURE_CLIENT_ID")
        let secret = settings.secret("AZURE_CLIENT_SECRET")
        let file = settings.string("AZURE_FEDERATED_TOKEN_FILE")
        _ = settings.string("AZURE_SUBSCRIPTION_ID")
        let endpoint = Self.address("IDENTITY_ENDPOINT", ["https", "http"], settings)
        let header = settings.secret("IDENTITY_HEADER")
        let machine = Self.address("AZURE_POD_IDENTITY_AUTHORITY_HOST", ["http", "https"], settings)
        authority =
            Self.address("AZURE_AUTHORITY_HOST", ["https", "http"], settings)
            ?? ServiceAddress(host: "login.microsoftonline.com")
        if authority.scheme == "http", !authority.isLoopback {
            settings.report("AZURE_AUTHORITY_HOST", "takes an https URL: secrets are sent there")
        }
        if secret != nil { settings.allOf("AZURE_CLIENT_SECRET", "AZURE_CLIENT_ID", "AZURE_TENANT_ID") }
        if secret == nil, file != nil {
            settings.allOf("AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_ID", "AZURE_TENANT_ID")
        }
        if endpoint != nil || header != nil { settings.allOf("IDENTITY_ENDPOINT", "IDENTITY_HEADER") }
        try settings.check()
        if let secret, let client, let tenant {
            origin = .secret(secret, client: client, tenant: tenant)
        } else if let file, let client, let tenant {
            origin = .federated(tokenFile: file, client: client, tenant: tenant)
        } else if let endpoint, let header {
            origin = .service(url: endpoint.url, header: header, client: client)
        } else {
            origin = .instance(url: machine?.url ?? "http://169.254.169.254", client: client)
        }
    }

    private static func address(_ name: String, _ schemes: [String], _ settings: Settings) -> ServiceAddress? {
        guard let text = settings.url(name, schemes: schemes) else { return nil }
        if let address = ServiceAddress(text) { return address }
        settings.report(name, "takes a URL of a host and perhaps a path, without a user and without a query")
        return nil
    }
}
