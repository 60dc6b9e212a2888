package import AuditArchive
import CloudAccess
package import Encryption
package import Kernel
package import ObjectStorage
package import OutboundHTTP
package import Telemetry

/// Everything the operator decided, read before anything starts.
package struct Configuration: Sendable {
    package let server: ServerConfiguration
    package let listener: ListenerConfiguration
    package let database: DatabaseConfiguration
    package let clouds: CloudConfiguration
    package let objects: ObjectStorageConfiguration
    package let encryption: EncryptionConfiguration
    package let audit: AuditArchiveConfiguration
    package let installation: InstallationConfiguration
    package let outbound: OutboundConfiguration
    package let log: LogConfiguration
    #if CAIRN_FAILPOINTS
        package let failpoints: FailpointConfiguration
    #endif

    /// Reads all settings.
    ///
    /// - Throws: every problem of every setting at once.
    package init(settings: Settings) throws(ConfigurationError) {
        let server = settings.build { settings throws(ConfigurationError) in
            try ServerConfiguration(settings: settings)
        }
        let folder = server?.dataFolder ?? ""
        let listener = settings.build { settings throws(ConfigurationError) in
            try ListenerConfiguration(settings: settings)
        }
        let database = settings.build { settings throws(ConfigurationError) in
            try DatabaseConfiguration(settings: settings, dataFolder: folder)
        }
        let clouds = settings.build { settings throws(ConfigurationError) in
            try CloudConfiguration(settings: settings)
        }
        // Something else that is wrong with a cloud must not look as if the region were missing.
        let region = clouds?.aws.region ?? settings.string("AWS_REGION") ?? settings.string("AWS_DEFAULT_REGION")
        let objects = settings.build { settings throws(ConfigurationError) in
            try ObjectStorageConfiguration(settings: settings, dataFolder: folder, region: region)
        }
        let encryption = settings.build { settings throws(ConfigurationError) in
            try EncryptionConfiguration(settings: settings, dataFolder: folder)
        }
        let audit = settings.build { settings throws(ConfigurationError) in
            try AuditArchiveConfiguration(settings: settings)
        }
        let installation = settings.build { settings throws(ConfigurationError) in
            try InstallationConfiguration(settings: settings)
        }
        let outbound = settings.build { settings throws(ConfigurationError) in
            try OutboundConfiguration(settings: settings)
        }
        let log = settings.build { settings throws(ConfigurationError) in try LogConfiguration(settings: settings) }
        _ = settings.build { settings throws(ConfigurationError) in try AcceptedSettings.read(settings) }
        #if CAIRN_FAILPOINTS
            let failpoints = settings.build { settings throws(ConfigurationError) in
                try FailpointConfiguration(settings: settings)
            }
        #endif
        settings.reportUnknown()
        try settings.check()
        #if CAIRN_FAILPOINTS
            guard let failpoints else { throw ConfigurationError([]) }
            self.failpoints = failpoints
        #endif
        guard let server, let listener, let database, let clouds, let objects, let encryption, let audit,
            let installation, let outbound, let log
        else {
            throw ConfigurationError([])
        }
        self.server = server
        self.listener = listener
        self.database = database
        self.clouds = clouds
        self.objects = objects
        self.encryption = encryption
        self.audit = audit
        self.installation = installation
        self.outbound = outbound
        self.log = log
    }
}
