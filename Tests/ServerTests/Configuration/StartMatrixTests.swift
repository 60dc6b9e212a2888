import Encryption
import Kernel
import ObjectStorage
import Server
import Testing

/// Settings as installers and operators combine them, and what the server makes of them before it starts anything.
@Suite("Combinations of settings")
struct StartMatrixTests {
    /// Variables, and what is said of the part that they decide about.
    struct Part: Sendable, CustomTestStringConvertible {
        let settings: [String: String]
        let says: String

        init(_ settings: [String: String], _ says: String) {
            self.settings = settings
            self.says = says
        }

        var testDescription: String { says }
    }

    static let databases = [
        Part([:], "SQLite /data/cairn.db"),
        Part([endpoint: "db"], "MySQL db:3306"),
        Part([endpoint: "db:3307", "PULUMI_DATABASE_NAME": "states"], "MySQL db:3307"),
        Part(
            [endpoint: "[::1]:3306", certificate: pem, "DATABASE_MIN_TLS_VERSION": "1.2"],
            "MySQL [::1]:3306"
        ),
        Part(
            [endpoint: "'db:3306'", "PULUMI_DATABASE_USER_NAME": "u", "PULUMI_DATABASE_USER_PASSWORD": "p@:/%#"],
            "MySQL db:3306"
        ),
    ]

    static let objects = [
        Part([:], "/data/objects"),
        Part(["PULUMI_LOCAL_OBJECTS": "/mnt/states", checkpoints: ""], "/mnt/states"),
        Part([checkpoints: "s3://states", "AWS_REGION": "eu-west-1"], "s3://states/ at s3.eu-west-1.amazonaws.com"),
        Part(
            ["PULUMI_OBJECTS_BUCKET": "states", "AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "us-east-1"],
            "s3://states/ at s3.eu-west-1.amazonaws.com"
        ),
        Part(
            [checkpoints: "s3://states?endpoint=minio:9000&disableSSL=true&s3ForcePathStyle=true&prefix=a/"],
            "s3://states/a/ at minio:9000"
        ),
        Part(
            [checkpoints: "azblob://states", "AZURE_STORAGE_ACCOUNT": "account1", "AZURE_STORAGE_KEY": "a2V5"],
            "azblob://states/ of account1"
        ),
    ]

    static let keys = [
        Part([:], "the key in /data/keys"),
        Part(["PULUMI_LOCAL_KEYS": "/run/secrets/key", "PULUMI_KMS_KEY": ""], "the key in /run/secrets/key"),
        Part(["PULUMI_KMS_KEY": "alias/states", "AWS_REGION": "eu-west-1"], "AWS KMS key alias/states"),
        Part(
            [vault: "https://states.vault.azure.net", vaultKey: "state"],
            "Azure Key Vault key state at https://states.vault.azure.net"
        ),
    ]

    @Test("that fit are taken, whatever they are put together from", arguments: databases)
    func takes(database: Part) throws {
        for objects in Self.objects {
            for keys in Self.keys {
                let settings = database.settings.merging(objects.settings) { $1 }.merging(keys.settings) { $1 }

                let configuration = try Configuration(
                    settings: Settings(settings.merging(["CAIRN_DATA": "/data"]) { $1 })
                )

                #expect(configuration.objects.checkpoints.description == objects.says, "\(settings)")
                #expect(configuration.encryption.summary == keys.says, "\(settings)")
                #expect(Databases.name(of: configuration.database) == database.says)
            }
        }
    }

    @Test(
        "that fit are taken, with a warning where something has no effect",
        arguments: [
            ([:], []),
            (["PULUMI_LICENSE_KEY": "a.b.c", "PULUMI_ENTERPRISE": "true"], []),
            (["PULUMI_API_CONTAINER_MODE": "api"], []),
            (["PULUMI_API_CONTAINER_MODE": "JOBS"], []),
            (["PULUMI_API_CONTAINER_MODE": "FUL"], ["PULUMI_API_CONTAINER_MODE"]),
            (["PULUMI_API_DOMAIN": "https://api.example.com/"], ["PULUMI_API_DOMAIN"]),
            (["PULUMI_API_DOMAIN": "api.example.com", "PULUMI_CONSOLE_DOMAIN": "app.example.com:443"], []),
            (["PULUMI_CONSOLE_DOMAIN": "http://localhost:3000"], ["PULUMI_CONSOLE_DOMAIN"]),
            (["SMTP_SERVER": "mail:465"], ["SMTP_SERVER"]),
            (["PULUMI_SEARCH_DOMAIN": "search:9200"], ["PULUMI_SEARCH_DOMAIN"]),
            ([auditTable: "audit"], []),
            ([auditTable: "Audit_1.logs-of-all", "AWS_REGION": "eu-west-1"], []),
            ([auditTable: "", "AWS_ENDPOINT_URL_DYNAMODB": "http://localhost:8000"], []),
            (["PULUMI_POLICY_PACK_LOCAL_HTTP_OBJECTS": "/packs"], ["PULUMI_POLICY_PACK_LOCAL_HTTP_OBJECTS"]),
            ([packs: "s3://packs?region=r"], [packs]),
            ([checkpoints: "s3://states?region=r", packs: "s3://packs?region=r"], [packs]),
            ([events: "s3://events?region=r", metadata: "s3://meta?region=r"], [metadata]),
            (["PORT": "443", "CAIRN_LISTEN": "127.0.0.1"], []),
            (["HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "localhost,.internal"], []),
            (["PULUMI_OBJECTS_BUCKET": "states", "AWS_DEFAULT_REGION": "us-east-1"], []),
            (["AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AZURE_STORAGE_KEY": ""], []),
            (["CAIRN_STOP_GRACE": "90s"], []),
            (["CAIRN_OUTBOUND_ALLOW": "10.0.0.0/8, 127.0.0.1"], []),
        ] as [([String: String], [String])]
    )
    func warns(environment: [String: String], warnings: [String]) throws {
        let settings = Settings(environment)

        _ = try Configuration(settings: settings)

        #expect(settings.warnings.count == warnings.count, "\(settings.warnings)")
        for name in warnings { #expect(settings.warnings.contains { $0.description.contains(name) }, "\(name)") }
    }

    @Test(
        "that do not fit are refused, each problem by the name of its variable",
        arguments: [
            // Databases.
            ([endpoint: "mysql://db:3306"], [endpoint]),
            ([endpoint: "db:0"], [endpoint]),
            ([endpoint: "db:port"], [endpoint]),
            ([endpoint: "a b"], [endpoint]),
            ([endpoint: "db", certificate: "/etc/ca.pem", "DATABASE_MIN_TLS_VERSION": "1.2"], [certificate]),
            ([endpoint: "db", certificate: pem], [certificate]),
            ([endpoint: "db", "DATABASE_MIN_TLS_VERSION": "1.2"], [certificate]),
            ([endpoint: "db", certificate: pem, "DATABASE_MIN_TLS_VERSION": "2"], [certificate]),
            ([certificate: pem], [certificate]),
            (["DATABASE_MIN_TLS_VERSION": "1.2"], ["DATABASE_MIN_TLS_VERSION"]),
            (["CAIRN_MIGRATE": "yes"], ["CAIRN_MIGRATE"]),
            // Objects.
            ([checkpoints: "states"], [checkpoints]),
            ([checkpoints: "gcs://states"], [checkpoints]),
            ([checkpoints: "s3://"], [checkpoints]),
            ([checkpoints: "s3://states"], [checkpoints]),
            ([checkpoints: "s3://states:9000?region=r"], [checkpoints]),
            ([checkpoints: "s3://states/folder?region=r"], [checkpoints]),
            ([checkpoints: "s3://states?region=r&s3ForcePathStyle=yes"], [checkpoints]),
            ([checkpoints: "s3://states?region=r&endpont=minio:9000"], [checkpoints]),
            ([checkpoints: "s3://states?region=r&kmskeyid=k"], [checkpoints]),
            ([checkpoints: "azblob://states"], [checkpoints]),
            ([checkpoints: "azblob://states?protocol=ftp", "AZURE_STORAGE_ACCOUNT": "account1"], [checkpoints]),
            (["AZURE_STORAGE_ACCOUNT": "Account"], ["AZURE_STORAGE_ACCOUNT"]),
            (["AZURE_STORAGE_ACCOUNT": "account1", "AZURE_STORAGE_KEY": "?"], ["AZURE_STORAGE_KEY"]),
            (["AZURE_STORAGE_KEY": "a2V5"], ["AZURE_STORAGE_KEY"]),
            (["PULUMI_LOCAL_OBJECTS": "/a", checkpoints: "s3://states?region=r"], ["PULUMI_LOCAL_OBJECTS"]),
            (
                ["PULUMI_LOCAL_OBJECTS": "/a", "PULUMI_OBJECTS_BUCKET": "states", "AWS_REGION": "r"],
                ["PULUMI_LOCAL_OBJECTS"]
            ),
            ([checkpoints: "s3://states?region=r", packs: "s3://states?region=r"], [packs]),
            (
                [checkpoints: "s3://states?region=r", packs: "azblob://p01", "AZURE_STORAGE_ACCOUNT": "account1"],
                [packs]
            ),
            (
                [packs: "s3://packs?region=r", "PULUMI_POLICY_PACK_LOCAL_HTTP_OBJECTS": "/p"],
                ["PULUMI_POLICY_PACK_LOCAL_HTTP_OBJECTS"]
            ),
            ([events: "file:///events"], [events]),
            ([metadata: "s3://m"], [metadata]),
            // Keys.
            (["PULUMI_LOCAL_KEYS": "/k", "PULUMI_KMS_KEY": "alias/k", "AWS_REGION": "r"], ["PULUMI_LOCAL_KEYS"]),
            (["PULUMI_LOCAL_KEYS": "/k", vault: "https://v.vault.azure.net", vaultKey: "k"], ["PULUMI_LOCAL_KEYS"]),
            (["PULUMI_KMS_KEY": "alias/k", vault: "https://v.vault.azure.net", vaultKey: "k"], ["PULUMI_KMS_KEY"]),
            (["PULUMI_KMS_KEY": "a key"], ["PULUMI_KMS_KEY"]),
            ([vault: "https://v.vault.azure.net"], [vault]),
            ([vaultKey: "k"], [vaultKey]),
            ([vault: "http://v.vault.azure.net", vaultKey: "k"], [vault]),
            ([vault: "v.vault.azure.net", vaultKey: "k"], [vault]),
            ([vault: "https://v.vault.azure.net", vaultKey: "a/b"], [vaultKey]),
            (
                [vault: "https://v.vault.azure.net", vaultKey: "k", "PULUMI_AZURE_KV_KEY_VERSION": "1"],
                ["PULUMI_AZURE_KV_KEY_VERSION"]
            ),
            (["PULUMI_AZURE_KV_KEY_VERSION": "0123456789abcdef0123456789abcdef"], ["PULUMI_AZURE_KV_KEY_VERSION"]),
            (["CAIRN_GOOGLE_KMS_KEY": "a-key"], ["CAIRN_GOOGLE_KMS_KEY"]),
            (["CAIRN_VAULT_KEY": "states"], ["CAIRN_VAULT_KEY"]),
            (["CAIRN_VAULT_KEY": "transit/keys/a", "PULUMI_KMS_KEY": "alias/a"], ["PULUMI_KMS_KEY"]),
            (["CAIRN_KEYS_ALSO": "vault:states"], ["CAIRN_KEYS_ALSO"]),
            // Identities.
            (["VAULT_TOKEN": "t", "CAIRN_VAULT_KUBERNETES_ROLE": "r"], ["VAULT_TOKEN"]),
            (["CAIRN_VAULT_SECRET_ID": "s"], ["CAIRN_VAULT_SECRET_ID"]),
            (["VAULT_ADDR": "http://vault.example"], ["VAULT_ADDR"]),
            (["AWS_ACCESS_KEY_ID": "id"], ["AWS_ACCESS_KEY_ID"]),
            (["AWS_SECRET_ACCESS_KEY": "s"], ["AWS_SECRET_ACCESS_KEY"]),
            (["AWS_WEB_IDENTITY_TOKEN_FILE": "/token"], ["AWS_WEB_IDENTITY_TOKEN_FILE"]),
            (["AWS_ENDPOINT_URL": "minio"], ["AWS_ENDPOINT_URL"]),
            (["AWS_EC2_METADATA_DISABLED": "no"], ["AWS_EC2_METADATA_DISABLED"]),
            (["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://example.com/"], ["AWS_CONTAINER_CREDENTIALS_FULL_URI"]),
            (["AZURE_CLIENT_SECRET": "s"], ["AZURE_CLIENT_SECRET"]),
            (["AZURE_CLIENT_SECRET": "s", "AZURE_CLIENT_ID": "c"], ["AZURE_CLIENT_SECRET"]),
            (["IDENTITY_ENDPOINT": "http://127.0.0.1/"], ["IDENTITY_ENDPOINT"]),
            (["AZURE_AUTHORITY_HOST": "http://login.example.com"], ["AZURE_AUTHORITY_HOST"]),
            (["AWS_ENDPOINT_URL_DYNAMODB": "localhost:8000"], ["AWS_ENDPOINT_URL_DYNAMODB"]),
            // The audit log.
            ([auditTable: "ab"], [auditTable]),
            ([auditTable: "audit log"], [auditTable]),
            ([auditTable: "arn:aws:dynamodb:eu-west-1:123456789012:table/audit"], [auditTable]),
            ([auditTable: String(repeating: "a", count: 256)], [auditTable]),
            // The listener.
            (["PORT": "0"], ["PORT"]),
            (["PORT": "http"], ["PORT"]),
            (["API_TLS_CERTIFICATE": pem], ["API_TLS_CERTIFICATE"]),
            (["API_TLS_PRIVATE_KEY": pem], ["API_TLS_PRIVATE_KEY"]),
            (["API_MIN_TLS_VERSION": "1.2"], ["API_MIN_TLS_VERSION"]),
            (
                ["API_TLS_CERTIFICATE": pem, "API_TLS_PRIVATE_KEY": pem, "API_MIN_TLS_VERSION": "1.1"],
                ["API_MIN_TLS_VERSION"]
            ),
            (["CAIRN_CONNECTIONS_PER_ADDRESS": "0"], ["CAIRN_CONNECTIONS_PER_ADDRESS"]),
            (["PULUMI_API_DOMAIN": "api.example.com/path"], ["PULUMI_API_DOMAIN"]),
            // The rest.
            (["CAIRN_ADMIN_LOGIN": "main"], ["CAIRN_ORGANIZATION"]),
            (["CAIRN_ORGANIZATION": "a b"], ["CAIRN_ORGANIZATION"]),
            (["CAIRN_ADMIN_TOKEN": "with blanks"], ["CAIRN_ADMIN_TOKEN"]),
            (["CAIRN_STOP_GRACE": "soon"], ["CAIRN_STOP_GRACE"]),
            (["CAIRN_OUTBOUND_ALLOW": "everything"], ["CAIRN_OUTBOUND_ALLOW"]),
            (["CAIRN_LOG_LEVEL": "loud"], ["CAIRN_LOG_LEVEL"]),
            (["HTTPS_PROXY": "proxy:3128"], ["HTTPS_PROXY"]),
            (["CAIRN_DATABSE": "x"], ["CAIRN_DATABSE"]),
            // Everything at once.
            (
                [
                    endpoint: "db:x", checkpoints: "s3://a", "PULUMI_KMS_KEY": "a key", "PORT": "-1",
                    "AWS_ACCESS_KEY_ID": "id", "CAIRN_STOP_GRACE": "soon", auditTable: "a/b",
                ],
                [endpoint, checkpoints, "PULUMI_KMS_KEY", "PORT", "AWS_ACCESS_KEY_ID", "CAIRN_STOP_GRACE", auditTable]
            ),
        ] as [([String: String], [String])]
    )
    func refuses(environment: [String: String], names: [String]) {
        let error = #expect(throws: ConfigurationError.self) {
            _ = try Configuration(settings: Settings(environment))
        }

        #expect(error?.problems.map(\.setting).sorted() == names.sorted(), "\(String(describing: error))")
        for secret in ["with blanks", "a2V5", "p@:/%#"] { #expect(error?.description.contains(secret) != true) }
    }
}

private let endpoint = "PULUMI_DATABASE_ENDPOINT"
private let certificate = "DATABASE_CA_CERTIFICATE"
private let checkpoints = "PULUMI_CHECKPOINT_BLOB_STORAGE_ENDPOINT"
private let packs = "PULUMI_POLICY_PACK_BLOB_STORAGE_ENDPOINT"
private let events = "PULUMI_ENGINE_EVENTS_BLOB_STORAGE_ENDPOINT"
private let metadata = "PULUMI_SERVICE_METADATA_BLOB_STORAGE_ENDPOINT"
private let auditTable = "PULUMI_AUDIT_LOGS_DYNAMO_TABLE"
private let vault = "PULUMI_AZURE_KV_URI"
private let vaultKey = "PULUMI_AZURE_KV_KEY_NAME"
private let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"
