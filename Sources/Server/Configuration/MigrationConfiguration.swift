import Contract
package import Kernel
package import PersistenceMySQL

/// What only `cairn migrate` reads: the variables of the vendor's migrations container (`spec/self-hosting.md` §1.12).
///
/// | Variable | Meaning | Default |
/// |---|---|---|
/// | `MYSQL_ROOT_USERNAME` | Administrator of the database server | `root` |
/// | `MYSQL_ROOT_PASSWORD` | Its password (**secret**) | none: nothing is made as administrator |
/// | `MYSQL_ROOT_CREDENTIALS` | Both as JSON, `{"username":…,"password":…}`, instead (**secret**) | none |
/// | `MYSQL_ALLOW_EMPTY_PASSWORD` | Whether accounts may have no password | `false` |
/// | `SKIP_CREATE_DB_USER` | Not to make the service's account | `false` |
/// | `MIGRATE_AS_SUPERUSER` | Whether the administrator changes the schema, too | `false` |
/// | `PULUMI_DATABASE_PING_ENDPOINT` | Host that must answer before the login | the endpoint's |
/// | `MYSQL_PORT` | Its port | 3306 |
/// | `RUN_MIGRATIONS_EXTERNALLY` | Whether the database is no neighbour: no ping of its own | `false` |
/// | `METADATA_LOCK_WAIT_TIMEOUT` | Seconds that one change waits for transactions on its table | 15 |
/// | `METADATA_LOCK_RETRIES` | How often it is tried again after that | 20 |
package struct MigrationConfiguration: Sendable {
    /// Who makes the database and the account; nil where that was done by hand.
    package let administrator: MySQLSetup.Administrator?
    package let makesAccount: Bool
    package let runsAsAdministrator: Bool
    /// Must answer before the first login; nil for the database itself, which is waited for anyway.
    package let ping: MySQLEndpoint?
    /// Whether to wait for a server that cannot be reached, instead of ending.
    package let waits: Bool
    private let lockSeconds: Int
    private let lockRetries: Int

    package init(settings: Settings, database: DatabaseConfiguration?) throws(ConfigurationError) {
        let settings = settings.section()
        let allowsEmpty = settings.flag("MYSQL_ALLOW_EMPTY_PASSWORD", default: false)
        let administrator = Self.administrator(settings, allowsEmpty: allowsEmpty)
        makesAccount = !settings.flag("SKIP_CREATE_DB_USER", default: false)
        runsAsAdministrator = settings.flag("MIGRATE_AS_SUPERUSER", default: false)
        let isExternal = settings.flag("RUN_MIGRATIONS_EXTERNALLY", default: false)
        let host = settings.string("PULUMI_DATABASE_PING_ENDPOINT")
        let port = settings.integer("MYSQL_PORT", in: 1...65_535, default: MySQLEndpoint.defaultPort)
        lockSeconds = settings.integer("METADATA_LOCK_WAIT_TIMEOUT", in: 1...3600, default: 15)
        lockRetries = settings.integer("METADATA_LOCK_RETRIES", in: 0...1000, default: 20)
        ping = isExternal ? nil : Self.ping(settings, host: host, port: port)
        waits = administrator != nil || host != nil || isExternal
        for name in ["MIGRATIONS_TABLE_NAME", "MIGRATIONS_DIR"] where settings.string(name) != nil {
            settings.warn(name, "has no effect: the migrations are part of this program and have a table of their own")
        }
        self.administrator = administrator
        if runsAsAdministrator, administrator == nil {
            settings.report("MIGRATE_AS_SUPERUSER", "needs MYSQL_ROOT_PASSWORD, or MYSQL_ROOT_CREDENTIALS, as well")
        }
        if let database { check(database, settings, allowsEmpty: allowsEmpty) }
        try settings.check()
    }

    /// The service's configuration as migrations use it.
    package func applied(to service: MySQLConfiguration) -> MySQLConfiguration {
        var configuration = service
        if runsAsAdministrator, let administrator {
            configuration = service.connecting(as: administrator, to: service.database)
        }
        configuration.limits.schemaLock = .seconds(lockSeconds)
        configuration.limits.schemaLockRetries = lockRetries
        return configuration
    }

    private func check(_ database: DatabaseConfiguration, _ settings: Settings, allowsEmpty: Bool) {
        guard case .mysql(let service) = database.engine else {
            for name in ["MYSQL_ROOT_PASSWORD", "MYSQL_ROOT_CREDENTIALS", "PULUMI_DATABASE_PING_ENDPOINT"]
            where settings.isSet(name) {
                settings.report(name, "has no effect without PULUMI_DATABASE_ENDPOINT")
            }
            return
        }
        if administrator != nil, makesAccount, !allowsEmpty, service.password.reveal().isEmpty {
            settings.report(
                "PULUMI_DATABASE_USER_PASSWORD",
                "is not set, and the service's account would have none; set it, or MYSQL_ALLOW_EMPTY_PASSWORD=true "
                    + "where nobody else reaches the database server"
            )
        }
    }

    private static func administrator(_ settings: Settings, allowsEmpty: Bool) -> MySQLSetup.Administrator? {
        let user = settings.string("MYSQL_ROOT_USERNAME", default: "root")
        let password = settings.secret("MYSQL_ROOT_PASSWORD")
        if let credentials = settings.secret("MYSQL_ROOT_CREDENTIALS") {
            if password != nil {
                settings.warn("MYSQL_ROOT_PASSWORD", "has no effect, because MYSQL_ROOT_CREDENTIALS is set")
            }
            guard case .object(let object)? = try? JSONValue.parse(Array(credentials.reveal().utf8)),
                case .string(let user)? = object["username"], !user.isEmpty,
                case .string(let password)? = object["password"]
            else {
                settings.report("MYSQL_ROOT_CREDENTIALS", #"is not JSON of the form {"username":"…","password":"…"}"#)
                return nil
            }
            return checked(user, Redacted(password), settings, "MYSQL_ROOT_CREDENTIALS", allowsEmpty: allowsEmpty)
        }
        if let password { return MySQLSetup.Administrator(user: user, password: password) }
        guard settings.isSet("MYSQL_ROOT_USERNAME") || allowsEmpty else { return nil }
        return checked(user, Redacted(""), settings, "MYSQL_ROOT_PASSWORD", allowsEmpty: allowsEmpty)
    }

    private static func checked(
        _ user: String,
        _ password: Redacted<String>,
        _ settings: Settings,
        _ name: String,
        allowsEmpty: Bool
    ) -> MySQLSetup.Administrator? {
        guard allowsEmpty || !password.reveal().isEmpty else {
            settings.report(name, "has no password; give one, or set MYSQL_ALLOW_EMPTY_PASSWORD=true")
            return nil
        }
        return MySQLSetup.Administrator(user: user, password: password)
    }

    /// `0.0.0.0` is what the vendor's container takes for "nobody".
    private static func ping(_ settings: Settings, host: String?, port: Int) -> MySQLEndpoint? {
        guard let host, host != "0.0.0.0" else { return nil }
        do {
            let endpoint = try MySQLEndpoint(host)
            return host.hasSuffix(":\(endpoint.port)") ? endpoint : MySQLEndpoint(host: endpoint.host, port: port)
        } catch {
            settings.report("PULUMI_DATABASE_PING_ENDPOINT", error.description)
            return nil
        }
    }
}
