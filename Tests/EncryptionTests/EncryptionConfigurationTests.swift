import CloudAccess
import Crypto
import Encryption
import Foundation
import Kernel
import ServiceTestKit
import Testing

@Suite("Configuration of encryption")
struct EncryptionConfigurationTests {
    private func configuration(_ environment: [String: String]) throws(ConfigurationError) -> EncryptionConfiguration {
        try EncryptionConfiguration(settings: Settings(environment), dataFolder: "/data")
    }

    @Test("is a generated key in the data folder, or the path that was set")
    func paths() throws {
        #expect(try configuration([:]).place == .local(path: "/data/keys", makesKey: true))
        #expect(try configuration(["PULUMI_LOCAL_KEYS": "/k"]).place == .local(path: "/k", makesKey: false))
        #expect(try !configuration([:]).isRemote)
    }

    @Test(
        "is a key of AWS KMS by any of its names",
        arguments: [
            "1234abcd-12ab-34cd-56ef-1234567890ab", "alias/cairn/x_y", "mrk-1234",
            "arn:aws:kms:us-east-1:1:key/1234", "arn:aws-cn:kms:cn-north-1:1:alias/a",
        ]
    )
    func kms(key: String) throws {
        let configuration = try configuration(["PULUMI_KMS_KEY": key])

        #expect(configuration.place == .awsKMS(key: key))
        #expect(configuration.isRemote)
        #expect(configuration.wrongKey.problems.map(\.setting) == ["PULUMI_KMS_KEY"])
        #expect(configuration.wrongKey.description.contains("AWS KMS key \(key) is not the one"))
    }

    @Test(
        "refuses what it cannot do, and two kinds at once",
        arguments: [
            (["PULUMI_KMS_KEY": "arn:aws:s3:::bucket"], ["PULUMI_KMS_KEY"]),
            (
                ["PULUMI_KMS_KEY": "alias/x", "PULUMI_LOCAL_KEYS": "/k"], ["PULUMI_LOCAL_KEYS"]
            ),
            (
                ["PULUMI_AZURE_KV_URI": "https://v", "PULUMI_AZURE_KV_KEY_NAME": "k", "PULUMI_KMS_KEY": "k"],
                ["PULUMI_KMS_KEY"]
            ),
            (["PULUMI_AZURE_KV_URI": "https://v"], ["PULUMI_AZURE_KV_URI"]),
            (["PULUMI_AZURE_KV_KEY_NAME": "k"], ["PULUMI_AZURE_KV_KEY_NAME"]),
            (
                ["PULUMI_AZURE_KV_URI": "https://v?x", "PULUMI_AZURE_KV_KEY_NAME": "a/b"],
                ["PULUMI_AZURE_KV_URI", "PULUMI_AZURE_KV_KEY_NAME"]
            ),
            (["CAIRN_GOOGLE_KMS_KEY": "projects/p/locations/l/keyRings/r"], ["CAIRN_GOOGLE_KMS_KEY"]),
            (
                ["CAIRN_GOOGLE_KMS_KEY": "projects/p/locations/l/keyRings/r/cryptoKeys/../k"],
                ["CAIRN_GOOGLE_KMS_KEY"]
            ),
            (["CAIRN_GOOGLE_KMS_ENDPOINT": "http://kms.example"], ["CAIRN_GOOGLE_KMS_ENDPOINT"]),
            (["PULUMI_AZURE_KV_KEY_VERSION": "1"], ["PULUMI_AZURE_KV_KEY_VERSION", "PULUMI_AZURE_KV_KEY_VERSION"]),
            (["PULUMI_AZURE_KV_URI": "http://v"], ["PULUMI_AZURE_KV_URI", "PULUMI_AZURE_KV_URI"]),
        ] as [([String: String], [String])]
    )
    func refuses(environment: [String: String], names: [String]) {
        let error = #expect(throws: ConfigurationError.self) { try configuration(environment) }

        #expect(error?.problems.map(\.setting) == names)
    }

    @Test(
        "is a key of Azure Key Vault, of any version or of one",
        arguments: [nil, "00112233445566778899aabbccddeeff"]
    )
    func keyVault(version: String?) throws {
        var environment = ["PULUMI_AZURE_KV_URI": "https://v.vault.azure.net/", "PULUMI_AZURE_KV_KEY_NAME": "my-key"]
        environment["PULUMI_AZURE_KV_KEY_VERSION"] = version

        let configuration = try configuration(environment)

        let place = EncryptionConfiguration.Place.azureKeyVault(
            uri: "https://v.vault.azure.net/",
            key: "my-key",
            version: version
        )
        #expect(configuration.place == place)
        #expect(configuration.isRemote)
        #expect(configuration.summary.contains(version ?? "my-key"))
        #expect(configuration.wrongKey.problems.map(\.setting) == ["PULUMI_AZURE_KV_URI"])
    }

    @Test("is a key of Cloud KMS by its full name")
    func cloudKMS() throws {
        let key = "projects/example.com:p-1/locations/europe-west1/keyRings/r_1/cryptoKeys/k"

        let configuration = try configuration(["CAIRN_GOOGLE_KMS_KEY": key])

        #expect(configuration.place == .googleKMS(key: key, ServiceAddress(host: "cloudkms.googleapis.com")))
        #expect(configuration.isRemote)
        #expect(configuration.wrongKey.problems.map(\.setting) == ["CAIRN_GOOGLE_KMS_KEY"])
        #expect(configuration.summary == "Cloud KMS key \(key)")
    }

    // MARK: - Opening

    private func open(
        _ configuration: EncryptionConfiguration,
        mayMakeKey: Bool,
        _ settings: Settings
    ) async throws -> any KeyProvider {
        let master = MasterKey(
            aws: try AWSConfiguration(settings: settings),
            azure: try AzureConfiguration(settings: settings),
            google: try GoogleConfiguration(settings: settings),
            vault: try VaultConfiguration(settings: settings),
            client: try makeClient(),
            effects: Effects(now: { Timestamp(seconds: 1) }, randomBytes: Random.bytes),
            clock: ContinuousClock()
        )
        return try await master.open(configuration, mayMakeKey: mayMakeKey, settings: settings)
    }

    @Test("makes a key at the first start only, and not where the database has one already")
    func opens() async throws {
        let folder = NSTemporaryDirectory() + "cairn-encryption-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let settings = Settings([:])
        let configuration = try EncryptionConfiguration(settings: settings, dataFolder: folder)

        let refused = await #expect(throws: ConfigurationError.self) {
            try await open(configuration, mayMakeKey: false, settings)
        }
        let first = try await open(configuration, mayMakeKey: true, settings)
        let second = try await open(configuration, mayMakeKey: false, settings)

        #expect(refused?.problems.first?.setting == "PULUMI_LOCAL_KEYS")
        #expect(first.currentVersion == second.currentVersion)
        #expect(settings.warnings.isEmpty)
        #expect(configuration.wrongKey.description.contains("is not the one that this database was created with"))
    }

    @Test("never makes a key at a path that was set")
    func configuredPath() async throws {
        let path = NSTemporaryDirectory() + "cairn-none-\(UUID().uuidString)"
        let settings = Settings(["PULUMI_LOCAL_KEYS": path])
        let configuration = try EncryptionConfiguration(settings: settings, dataFolder: "/data")

        await #expect(throws: ConfigurationError.self) { try await open(configuration, mayMakeKey: true, settings) }

        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test("connects to AWS KMS with the keys and the address that are set")
    func connects() async throws {
        let refusal = #"{"__type":"AccessDeniedException","message":"no"}"#
        try await ScriptedServer.run(
            headers: ["Authorization"],
            answer: { _ in .init(status: 400, body: refusal) }
        ) { server in
            let settings = Settings([
                "PULUMI_KMS_KEY": "alias/cairn", "AWS_ENDPOINT_URL": server.url, "AWS_REGION": "eu-west-1",
                "AWS_ACCESS_KEY_ID": "KEY", "AWS_SECRET_ACCESS_KEY": "s",
            ])
            let configuration = try EncryptionConfiguration(settings: settings, dataFolder: "/data")

            let error = await #expect(throws: ServiceError.self) {
                try await open(configuration, mayMakeKey: true, settings)
            }

            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("AWS KMS key alias/cairn: these credentials may not use") == true)
            let authorization = server.calls.first?.headers["Authorization"] ?? ""
            #expect(authorization.contains("Credential=KEY/19700101/eu-west-1/kms/aws4_request"))
        }
    }

    @Test("says that a key of AWS KMS without a region needs one")
    func withoutRegion() async throws {
        let settings = Settings([
            "PULUMI_KMS_KEY": "alias/cairn", "AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s",
        ])
        let configuration = try EncryptionConfiguration(settings: settings, dataFolder: "/data")

        let error = await #expect(throws: ServiceError.self) {
            try await open(configuration, mayMakeKey: true, settings)
        }

        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains("AWS_REGION") == true)
    }
}
