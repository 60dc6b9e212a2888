import Kernel
import Server
import Testing

@Suite("Reading the configuration")
struct ConfigurationTests {
    @Test("needs nothing to be set")
    func hasDefaults() throws {
        let configuration = try Configuration(settings: Settings([:]))

        #expect(configuration.server.dataFolder == "./cairn-data")
        #expect(configuration.server.mode == .full)
        #expect(configuration.server.stopGrace == .seconds(30))
        #expect(configuration.listener.port == 8080)
        #expect(configuration.listener.tls == nil)
        #expect(configuration.installation.administrator.rawValue == "admin")
        #expect(configuration.installation.organization.rawValue == "main")
        #expect(configuration.installation.token == nil)
        #expect(configuration.database.migratesAtStart)
        guard case .sqlite(let path) = configuration.database.engine else {
            Issue.record("the default is SQLite")
            return
        }
        #expect(path == "./cairn-data/cairn.db")
    }

    @Test("takes empty for unset and strips one pair of quotes")
    func readsTexts() throws {
        let settings = Settings(["PORT": "", "CAIRN_ADMIN_LOGIN": "\"boss\"", "CAIRN_ORGANIZATION": "'firm'"])

        let configuration = try Configuration(settings: settings)

        #expect(configuration.listener.port == 8080)
        #expect(configuration.installation.administrator.rawValue == "boss")
        #expect(configuration.installation.organization.rawValue == "firm")
    }

    @Test("reports every problem at once, each with its variable")
    func reportsAll() throws {
        let settings = Settings([
            "PORT": "70000", "CAIRN_STOP_GRACE": "soon", "CAIRN_ADMIN_LOGIN": "a", "CAIRN_ORGANIZATION": "api",
            "CAIRN_ADMIN_TOKEN": "with blanks in it", "CAIRN_LOG_LEVEL": "loud", "CAIRN_MIGRATE": "perhaps",
            "PULUMI_KMS_KEY": "arn:aws:kms:x", "DATABASE_MIN_TLS_VERSION": "1.2", "CAIRN_DATTA": "/x",
            "API_TLS_CERTIFICATE": "-----BEGIN CERTIFICATE-----", "PULUMI_API_DOMAIN": "a b",
        ])

        let error = try #require(throws: ConfigurationError.self) { _ = try Configuration(settings: settings) }

        let names = Set(error.problems.map(\.setting))
        #expect(
            names == [
                "PORT", "CAIRN_STOP_GRACE", "CAIRN_ADMIN_LOGIN", "CAIRN_ORGANIZATION", "CAIRN_ADMIN_TOKEN",
                "CAIRN_LOG_LEVEL", "CAIRN_MIGRATE", "PULUMI_KMS_KEY", "DATABASE_MIN_TLS_VERSION", "CAIRN_DATTA",
                "API_TLS_CERTIFICATE", "PULUMI_API_DOMAIN",
            ]
        )
        #expect(!error.description.contains("with blanks"))
        #expect(error.description.split(separator: "\n").count == error.problems.count)
    }

    @Test(
        "refuses what cannot be used, naming the variable",
        arguments: [
            (["PORT": "0"], "PORT"),
            (["PORT": "80a"], "PORT"),
            (["CAIRN_PROT": "1"], "CAIRN_PROT"),
            (["CAIRN_ADMIN_LOGIN": "main"], "CAIRN_ORGANIZATION"),
            (["CAIRN_ADMIN_LOGIN": "Main"], "CAIRN_ORGANIZATION"),
            (["CAIRN_ADMIN_LOGIN": "organization"], "CAIRN_ADMIN_LOGIN"),
            (["CAIRN_ADMIN_LOGIN": "-boss"], "CAIRN_ADMIN_LOGIN"),
            (["API_MIN_TLS_VERSION": "1.2"], "API_MIN_TLS_VERSION"),
            (["API_MIN_TLS_VERSION": "1.1"], "API_MIN_TLS_VERSION"),
            (["API_TLS_PRIVATE_KEY": "-----BEGIN PRIVATE KEY-----"], "API_TLS_PRIVATE_KEY"),
            (["PULUMI_DATABASE_ENDPOINT": "host:port"], "PULUMI_DATABASE_ENDPOINT"),
            (["PULUMI_DATABASE_ENDPOINT": "db", "DATABASE_MIN_TLS_VERSION": "1.2"], "DATABASE_CA_CERTIFICATE"),
            (["DATABASE_CA_CERTIFICATE": "x"], "DATABASE_CA_CERTIFICATE"),
            (["PULUMI_LOCAL_OBJECTS": "/x", "PULUMI_OBJECTS_BUCKET": "y"], "PULUMI_LOCAL_OBJECTS"),
            (["PULUMI_LOCAL_KEYS": "/x", "PULUMI_KMS_KEY": "y"], "PULUMI_LOCAL_KEYS"),
            (["CAIRN_STOP_GRACE": "11m"], "CAIRN_STOP_GRACE"),
        ]
    )
    func refuses(variables: [String: String], name: String) throws {
        let error = try #require(throws: ConfigurationError.self) {
            _ = try Configuration(settings: Settings(variables))
        }

        #expect(error.problems.contains { $0.setting == name }, "\(error)")
    }

    @Test("takes a mode in any case, and an unknown one for FULL, with a warning")
    func readsMode() throws {
        let api = try Configuration(settings: Settings(["PULUMI_API_CONTAINER_MODE": "api"]))
        let settings = Settings(["PULUMI_API_CONTAINER_MODE": "both"])
        let unknown = try Configuration(settings: settings)

        #expect(api.server.mode == .api)
        #expect(unknown.server.mode == .full)
        #expect(settings.warnings.contains { $0.contains("PULUMI_API_CONTAINER_MODE") })
    }

    @Test("warns of what this version has no use for, without showing it")
    func warns() throws {
        let settings = Settings(["GITHUB_OAUTH_ID": "visible", "PULUMI_LICENSE_KEY": "visible"])

        _ = try Configuration(settings: settings)

        #expect(settings.warnings.count == 1)
        #expect(settings.warnings.allSatisfy { $0.contains("GITHUB_OAUTH_ID") && !$0.contains("visible") })
    }

    @Test("listens on another port with TLS")
    func changesPort() throws {
        let settings = Settings([
            "API_TLS_CERTIFICATE": "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----",
            "API_TLS_PRIVATE_KEY": "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----",
            "API_MIN_TLS_VERSION": "1.3",
        ])

        let configuration = try Configuration(settings: settings)

        #expect(configuration.listener.port == 8443)
        #expect(configuration.listener.tls?.minimumVersion == "1.3")
    }
}
