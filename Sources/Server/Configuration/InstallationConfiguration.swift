package import Identity
package import Kernel

/// What the first start makes.
///
/// | Variable | Meaning | Default |
/// |---|---|---|
/// | `CAIRN_ADMIN_TOKEN` | Token of the first administrator (**secret**) | made and shown once |
/// | `CAIRN_ADMIN_LOGIN` | Login of the first administrator | `admin` |
/// | `CAIRN_ORGANIZATION` | The first organization | `main` |
package struct InstallationConfiguration: Sendable {
    package let administrator: OrganizationName
    package let organization: OrganizationName
    package let token: TokenSecret?

    package init(settings: Settings) throws(ConfigurationError) {
        let settings = settings.section()
        administrator = Self.name("CAIRN_ADMIN_LOGIN", default: "admin", settings)
        organization = Self.name("CAIRN_ORGANIZATION", default: "main", settings)
        if administrator.rawValue.lowercased() == organization.rawValue.lowercased() {
            settings.report("CAIRN_ORGANIZATION", "is the administrator's login as well; the two must differ")
        }
        let text = settings.secret("CAIRN_ADMIN_TOKEN")
        token = text.flatMap { TokenSecret($0.reveal()) }
        if text != nil, token == nil {
            settings.report(
                "CAIRN_ADMIN_TOKEN",
                "takes 1 to \(TokenSecret.longest) visible ASCII characters without blanks"
            )
        }
        try settings.check()
    }

    private static func name(_ variable: String, default fallback: String, _ settings: Settings) -> OrganizationName {
        let text = settings.string(variable, default: fallback)
        let isReserved = OrganizationName.reserved.contains(text.lowercased())
        if isReserved {
            settings.report(variable, "'\(text)' is reserved")
        } else if !OrganizationName.accepts(text) {
            settings.report(variable, "'\(text)' must \(OrganizationName.rule)")
        }
        return OrganizationName(unchecked: text)
    }
}
