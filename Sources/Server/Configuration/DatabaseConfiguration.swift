package import Kernel
package import PersistenceMySQL

/// Where rows are kept.
///
/// | Variable | Meaning | Default |
/// |---|---|---|
/// | `PULUMI_DATABASE_ENDPOINT` | MySQL or MariaDB as `host`, `host:port` or `[v6]:port` | none: SQLite in the data folder |
/// | `PULUMI_DATABASE_NAME` | Schema | `pulumi` |
/// | `PULUMI_DATABASE_USER_NAME` | User | `pulumi_service` |
/// | `PULUMI_DATABASE_USER_PASSWORD` | Its password, any characters (**secret**) | empty |
/// | `DATABASE_CA_CERTIFICATE` | Certificates that may sign the server's, as PEM text | none: no TLS |
/// | `DATABASE_MIN_TLS_VERSION` | `1.0` to `1.3` | none |
/// | `CAIRN_MIGRATE` | Whether the server brings the schema up to date when it starts | `true` |
///
/// The two about TLS are set together or not at all.
package struct DatabaseConfiguration: Sendable {
    package enum Engine: Sendable {
        /// The file below the data folder.
        case sqlite(path: String)
        case mysql(MySQLConfiguration)
    }

    package var engine: Engine
    package let migratesAtStart: Bool
    /// Where the rows are without `PULUMI_DATABASE_ENDPOINT`.
    private let file: String

    /// - Parameter leastTLS: the version where `DATABASE_CA_CERTIFICATE` is set alone; nil where that is refused.
    package init(
        settings: Settings,
        dataFolder: String,
        leastTLS: MySQLConfiguration.Version? = nil
    ) throws(ConfigurationError) {
        let settings = settings.section()
        let endpoint = settings.string("PULUMI_DATABASE_ENDPOINT")
        let name = settings.string("PULUMI_DATABASE_NAME", default: "pulumi")
        let user = settings.string("PULUMI_DATABASE_USER_NAME", default: "pulumi_service")
        let password = settings.secret("PULUMI_DATABASE_USER_PASSWORD") ?? Redacted("")
        let authority = settings.string("DATABASE_CA_CERTIFICATE")
        let version = settings.string("DATABASE_MIN_TLS_VERSION")
        migratesAtStart = settings.flag("CAIRN_MIGRATE", default: true)
        var mysql: MySQLConfiguration?
        if let endpoint {
            do {
                mysql = MySQLConfiguration(
                    endpoint: try MySQLEndpoint(endpoint),
                    database: name,
                    user: user,
                    password: password,
                    tls: try MySQLConfiguration.TLS(
                        certificateAuthority: authority,
                        minimumVersion: version,
                        fallback: leastTLS
                    )
                )
            } catch let error as MySQLEndpointError {
                settings.report("PULUMI_DATABASE_ENDPOINT", error.description)
            } catch {
                settings.report("DATABASE_CA_CERTIFICATE", "\(error)")
            }
        } else {
            for variable in ["DATABASE_CA_CERTIFICATE", "DATABASE_MIN_TLS_VERSION"] where settings.isSet(variable) {
                settings.report(variable, "has no effect without PULUMI_DATABASE_ENDPOINT")
            }
        }
        try settings.check()
        file = "\(dataFolder)/cairn.db"
        engine = mysql.map(Engine.mysql) ?? .sqlite(path: file)
    }

    private init(_ engine: Engine, _ other: DatabaseConfiguration) {
        self.engine = engine
        migratesAtStart = other.migratesAtStart
        file = other.file
    }

    /// The file below the data folder, whatever else is set.
    package var inDataFolder: DatabaseConfiguration {
        DatabaseConfiguration(.sqlite(path: file), self)
    }
}
