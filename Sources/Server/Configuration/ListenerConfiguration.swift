package import Kernel

/// Where requests are taken.
///
/// | Variable | Meaning | Default |
/// |---|---|---|
/// | `PORT` | Port | 8080, with TLS 8443 |
/// | `CAIRN_LISTEN` | Address to listen on | every address |
/// | `CAIRN_CONNECTIONS_PER_ADDRESS` | Most connections from one address | 1000 |
/// | `API_TLS_CERTIFICATE` | Certificate chain, PEM text or a file's path | none |
/// | `API_TLS_PRIVATE_KEY` | Its key, PEM text or a file's path (**secret**) | none |
/// | `API_MIN_TLS_VERSION` | `1.2` or `1.3` | none |
///
/// The last three are set together or not at all.
package struct ListenerConfiguration: Sendable {
    package struct TLS: Sendable {
        package let certificate: String
        package let privateKey: Redacted<String>
        package let minimumVersion: String
    }

    package let address: String?
    package let port: Int
    /// Per IPv4 address, or per IPv6 network of 64 bits; a proxy in front is one address for all its clients.
    package let connectionsPerAddress: Int
    package let tls: TLS?

    package init(settings: Settings) throws(ConfigurationError) {
        let settings = settings.section()
        let certificate = settings.valueOrFile("API_TLS_CERTIFICATE")
        let key = settings.valueOrFile("API_TLS_PRIVATE_KEY")
        let version = settings.choice("API_MIN_TLS_VERSION", of: ["1.2", "1.3"])
        settings.allOf("API_TLS_CERTIFICATE", "API_TLS_PRIVATE_KEY", "API_MIN_TLS_VERSION")
        let hasTLS = settings.isSet("API_TLS_CERTIFICATE")
        port = settings.integer("PORT", in: 1...65_535, default: hasTLS ? 8443 : 8080)
        address = settings.string("CAIRN_LISTEN")
        connectionsPerAddress = settings.integer("CAIRN_CONNECTIONS_PER_ADDRESS", in: 1...100_000, default: 1_000)
        try settings.check()
        if let certificate, let key, let version {
            tls = TLS(certificate: certificate.reveal(), privateKey: key, minimumVersion: version)
        } else {
            tls = nil
        }
    }
}
