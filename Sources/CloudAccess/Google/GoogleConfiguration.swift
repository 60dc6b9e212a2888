package import Kernel

/// Who this server is to Google Cloud.
///
/// The names are those of the vendor's libraries.
///
/// | Variable | Meaning | Default |
/// |---|---|---|
/// | `GOOGLE_APPLICATION_CREDENTIALS` | File with the key of a service account | none: the machine is asked |
/// | `GCE_METADATA_HOST` | Where the machine is asked, `host` or `host:port` | `metadata.google.internal` |
/// | `CAIRN_GOOGLE_IAM_ENDPOINT` | Where the IAM Credentials API is reached, which signs URLs for the machine's account | `https://iamcredentials.googleapis.com` |
package struct GoogleConfiguration: Sendable {
    package let keyFile: String?
    package let metadata: HostAndPort
    /// Nil: the vendor's, in the universe of whoever asks.
    package let iam: ServiceAddress?

    package init(settings: Settings) throws(ConfigurationError) {
        let settings = settings.section()
        keyFile = settings.string("GOOGLE_APPLICATION_CREDENTIALS")
        metadata = settings.hostAndPort("GCE_METADATA_HOST", default: HostAndPort(host: "metadata.google.internal"))
        let name = "CAIRN_GOOGLE_IAM_ENDPOINT"
        let url = settings.url(name, schemes: ["https", "http"])
        iam = url.flatMap { ServiceAddress($0) }
        if url != nil, iam.map({ $0.scheme == "http" && !$0.isLoopback }) ?? true {
            settings.report(name, "takes an https URL without a query: tokens are sent there")
        }
        try settings.check()
    }
}
