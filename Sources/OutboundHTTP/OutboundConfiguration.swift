package import Kernel

/// What the server may connect to for its users, and how it reaches the services that the operator configured.
///
/// | Variable | Meaning | Default |
/// |---|---|---|
/// | `CAIRN_OUTBOUND_ALLOW` | Addresses that are not public and may be connected to, as `10.1.0.0/16, 127.0.0.1` | none |
/// | `CAIRN_OUTBOUND_CA` | Certificates that may sign those of other servers, as PEM text or a file's path | the system's |
package struct OutboundConfiguration: Sendable {
    package let rules: OutboundRules
    /// PEM text; nil for the certificates of the system.
    package let authorities: String?
    /// For services that the operator configured; what users choose is reached directly or not at all.
    package let proxies: ProxyRules

    package init(settings: Settings) throws(ConfigurationError) {
        let settings = settings.section()
        authorities = settings.valueOrFile("CAIRN_OUTBOUND_CA")?.reveal()
        var ranges: [AddressRange] = []
        for part in (settings.string("CAIRN_OUTBOUND_ALLOW") ?? "").split(separator: ",") {
            let text = String(part.filter { $0 != " " && $0 != "\t" })
            guard !text.isEmpty else { continue }
            if let range = AddressRange(text) {
                ranges.append(range)
            } else {
                settings.report("CAIRN_OUTBOUND_ALLOW", "'\(text)' is no address and no range such as 10.0.0.0/8")
            }
        }
        rules = OutboundRules(allowing: ranges)
        proxies = ProxyRules(settings: settings)
        try settings.check()
    }
}
