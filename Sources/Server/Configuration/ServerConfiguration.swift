package import Kernel

/// What the process as a whole does.
///
/// | Variable | Meaning | Default |
/// |---|---|---|
/// | `CAIRN_DATA` | Folder for everything that is kept on this machine | `./cairn-data` |
/// | `PULUMI_API_CONTAINER_MODE` | `FULL`, `API` or `JOBS` | `FULL` |
/// | `PULUMI_API_DOMAIN` | Public name of the API, `host` or `host:port` | `localhost` and the port |
/// | `PULUMI_CONSOLE_DOMAIN` | Public name of the console, `host` or `host:port` | none |
/// | `CAIRN_STOP_GRACE` | How long requests in progress may take when the server stops | `30s` |
package struct ServerConfiguration: Sendable {
    package let dataFolder: String
    package let mode: ProcessMode
    package let apiDomain: HostAndPort?
    package let consoleDomain: HostAndPort?
    package let stopGrace: Duration

    package init(settings: Settings) throws(ConfigurationError) {
        let settings = settings.section()
        dataFolder = settings.string("CAIRN_DATA", default: "./cairn-data")
        let mode = settings.string("PULUMI_API_CONTAINER_MODE", default: ProcessMode.full.rawValue)
        // The vendor's server takes an unknown word for FULL, and installations rely on it.
        if let known = ProcessMode(rawValue: mode.uppercased()) {
            self.mode = known
        } else {
            settings.warn("PULUMI_API_CONTAINER_MODE", "'\(mode)' is none of FULL, API and JOBS; FULL is used")
            self.mode = .full
        }
        apiDomain = settings.hostAndPort("PULUMI_API_DOMAIN")
        consoleDomain = settings.hostAndPort("PULUMI_CONSOLE_DOMAIN")
        stopGrace = settings.duration("CAIRN_STOP_GRACE", in: .seconds(0)...(.seconds(600)), default: .seconds(30))
        try settings.check()
    }
}
