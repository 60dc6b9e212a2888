package import Kernel

/// Who this server is to Google Cloud.
///
/// The names are those of the vendor's libraries.
///
/// | Variable | Meaning | Default |
/// |---|---|---|
/// | `GOOGLE_APPLICATION_CREDENTIALS` | File with the key of a service account | none: the machine is asked |
/// | `GCE_METADATA_HOST` | Where the machine is asked, `host` or `host:port` | `metadata.google.internal` |
package struct GoogleConfiguration: Sendable {
    package let keyFile: String?
    package let metadata: HostAndPort

    package init(settings: Settings) throws(ConfigurationError) {
        let settings = settings.section()
        keyFile = settings.string("GOOGLE_APPLICATION_CREDENTIALS")
        metadata = settings.hostAndPort("GCE_METADATA_HOST", default: HostAndPort(host: "metadata.google.internal"))
        try settings.check()
    }
}
