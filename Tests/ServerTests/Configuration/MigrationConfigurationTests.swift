import Kernel
import PersistenceMySQL
import Server
import Testing

@Suite("The settings of migrations")
struct MigrationConfigurationTests {
    private static let endpoint = ["PULUMI_DATABASE_ENDPOINT": "db:3306", "PULUMI_DATABASE_USER_PASSWORD": "s3"]

    private func read(_ variables: [String: String]) throws -> (MigrationConfiguration, MySQLConfiguration, [String]) {
        let settings = Settings(variables.merging(Self.endpoint) { own, _ in own })
        let database = try DatabaseConfiguration(settings: settings, dataFolder: "/data", leastTLS: .v12)
        let migration = try MigrationConfiguration(settings: settings, database: database)
        guard case .mysql(let service) = database.engine else { throw ConfigurationError([]) }
        return (migration, service, settings.warnings)
    }

    @Test("make nothing and wait for nobody when none of them is set")
    func none() throws {
        let (migration, _, warnings) = try read([:])

        #expect(migration.administrator == nil && !migration.waits && migration.ping == nil && warnings == [])
    }

    @Test(
        "name the administrator in two ways, of which JSON wins with a warning",
        arguments: [
            (["MYSQL_ROOT_PASSWORD": "a\"b"], "root", "a\"b", 0),
            (["MYSQL_ROOT_USERNAME": "boss", "MYSQL_ROOT_PASSWORD": "p"], "boss", "p", 0),
            (["MYSQL_ROOT_USERNAME": "boss", "MYSQL_ALLOW_EMPTY_PASSWORD": "true"], "boss", "", 0),
            (["MYSQL_ALLOW_EMPTY_PASSWORD": "true"], "root", "", 0),
            (["MYSQL_ROOT_CREDENTIALS": #"{"username":"ad","password":"x\"y"}"#], "ad", "x\"y", 0),
            (
                ["MYSQL_ROOT_CREDENTIALS": #"{"username":"ad","password":"x"}"#, "MYSQL_ROOT_PASSWORD": "p"], "ad", "x",
                1
            ),
        ] as [([String: String], String, String, Int)]
    )
    func administrators(variables: [String: String], user: String, password: String, warnings: Int) throws {
        let (migration, _, found) = try read(variables)

        #expect(migration.administrator?.user == user)
        #expect(migration.administrator?.password.reveal() == password)
        #expect(found.count == warnings)
        #expect(migration.waits && migration.makesAccount)
    }

    @Test(
        "are refused when they do not fit, with the setting's name and never its secret",
        arguments: [
            (["MYSQL_ROOT_USERNAME": "boss"], "MYSQL_ROOT_PASSWORD"),
            (["MYSQL_ROOT_CREDENTIALS": "root:secret-1"], "MYSQL_ROOT_CREDENTIALS"),
            (["MYSQL_ROOT_CREDENTIALS": #"{"username":"","password":"secret-1"}"#], "MYSQL_ROOT_CREDENTIALS"),
            (["MYSQL_ROOT_CREDENTIALS": #"{"username":"a","password":""}"#], "MYSQL_ROOT_CREDENTIALS"),
            (["MYSQL_ROOT_CREDENTIALS": #"{"username":"a","password":5}"#], "MYSQL_ROOT_CREDENTIALS"),
            (["MIGRATE_AS_SUPERUSER": "true"], "MIGRATE_AS_SUPERUSER"),
            (
                ["MYSQL_ROOT_PASSWORD": "secret-1", "PULUMI_DATABASE_USER_PASSWORD": ""],
                "PULUMI_DATABASE_USER_PASSWORD"
            ),
            (["PULUMI_DATABASE_PING_ENDPOINT": "http://db"], "PULUMI_DATABASE_PING_ENDPOINT"),
            (["MYSQL_PORT": "0"], "MYSQL_PORT"), (["METADATA_LOCK_RETRIES": "many"], "METADATA_LOCK_RETRIES"),
            (["METADATA_LOCK_WAIT_TIMEOUT": "0"], "METADATA_LOCK_WAIT_TIMEOUT"),
            (["SKIP_CREATE_DB_USER": "maybe"], "SKIP_CREATE_DB_USER"),
            (["PULUMI_DATABASE_ENDPOINT": "", "MYSQL_ROOT_PASSWORD": "secret-1"], "MYSQL_ROOT_PASSWORD"),
        ] as [([String: String], String)]
    )
    func refusals(variables: [String: String], setting: String) {
        let error = #expect(throws: ConfigurationError.self) { try read(variables) }

        #expect(error?.problems.map(\.setting) == [setting])
        #expect(error?.description.contains("secret-1") == false)
    }

    @Test(
        "say who must answer before the login",
        arguments: [
            (["PULUMI_DATABASE_PING_ENDPOINT": "front"], "front:3306"),
            (["PULUMI_DATABASE_PING_ENDPOINT": "front", "MYSQL_PORT": "3400"], "front:3400"),
            (["PULUMI_DATABASE_PING_ENDPOINT": "front:3500", "MYSQL_PORT": "3400"], "front:3500"),
            (["PULUMI_DATABASE_PING_ENDPOINT": "[::1]", "MYSQL_PORT": "3400"], "[::1]:3400"),
            (["PULUMI_DATABASE_PING_ENDPOINT": "0.0.0.0"], nil),
            (["PULUMI_DATABASE_PING_ENDPOINT": "front", "RUN_MIGRATIONS_EXTERNALLY": "true"], nil),
        ] as [([String: String], String?)]
    )
    func pings(variables: [String: String], endpoint: String?) throws {
        let (migration, _, _) = try read(variables)

        #expect(migration.ping?.description == endpoint)
        #expect(migration.waits)
    }

    @Test("decide about the account, its patience and the version of TLS of the migrations")
    func applied() throws {
        let authority = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"
        let (migration, service, _) = try read([
            "MYSQL_ROOT_PASSWORD": "r00t", "MIGRATE_AS_SUPERUSER": "true", "SKIP_CREATE_DB_USER": "true",
            "METADATA_LOCK_WAIT_TIMEOUT": "7", "METADATA_LOCK_RETRIES": "3", "DATABASE_CA_CERTIFICATE": authority,
        ])

        let used = migration.applied(to: service)

        #expect(used.user == "root" && used.password.reveal() == "r00t" && used.database == "pulumi")
        #expect(used.limits.schemaLock == .seconds(7) && used.limits.schemaLockRetries == 3)
        #expect(used.tls?.minimumVersion == .v12)
        #expect(!migration.makesAccount)
        #expect(service.user == "pulumi_service")
    }
}
