package import CloudAccess
package import Kernel

/// Who this server is to the clouds and services that keep its objects, keys and audit log.
package struct CloudConfiguration: Sendable {
    package let aws: AWSConfiguration
    package let azure: AzureConfiguration
    package let google: GoogleConfiguration
    package let vault: VaultConfiguration

    package init(settings: Settings) throws(ConfigurationError) {
        let settings = settings.section()
        let aws = settings.build { settings throws(ConfigurationError) in try AWSConfiguration(settings: settings) }
        let azure = settings.build { settings throws(ConfigurationError) in try AzureConfiguration(settings: settings) }
        let google = settings.build { settings throws(ConfigurationError) in
            try GoogleConfiguration(settings: settings)
        }
        let vault = settings.build { settings throws(ConfigurationError) in try VaultConfiguration(settings: settings) }
        try settings.check()
        guard let aws, let azure, let google, let vault else { throw ConfigurationError([]) }
        self.aws = aws
        self.azure = azure
        self.google = google
        self.vault = vault
    }
}
