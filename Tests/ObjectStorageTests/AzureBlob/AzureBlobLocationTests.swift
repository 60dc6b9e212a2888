import Kernel
import ObjectStorage
import Testing

@Suite("URLs of containers")
struct AzureBlobLocationTests {
    private func account(_ environment: [String: String] = [:]) throws -> AzureBlobLocation.Account {
        let usual = ["AZURE_STORAGE_ACCOUNT": "account1"]
        return try AzureBlobLocation.Account(settings: Settings(usual.merging(environment) { $1 }))
    }

    @Test(
        "lead to the account's host, or to a path of another one",
        arguments: [
            ("azblob://states", "https://account1.blob.core.windows.net", ""),
            ("azblob://states?protocol=http", "http://account1.blob.core.windows.net", ""),
            ("azblob://states?domain=blob.core.chinacloudapi.cn", "https://account1.blob.core.chinacloudapi.cn", ""),
            ("azblob://states?storage_account=other2", "https://other2.blob.core.windows.net", ""),
            ("azblob://states?cdn=true&domain=cdn.example.com", "https://cdn.example.com", ""),
            ("azblob://states?protocol=http&domain=127.0.0.1:10000", "http://127.0.0.1:10000", "/account1"),
            ("azblob://states?localemu=true&domain=azurite:10000", "https://azurite:10000", "/account1"),
            ("azblob://states?domain=localhost", "https://localhost", "/account1"),
        ]
    )
    func leads(url: String, origin: String, base: String) throws {
        let location = try AzureBlobLocation(url, account: account())

        #expect(location.container == "states")
        #expect((location.origin, location.base) == (origin, base))
    }

    @Test("take the domain of the settings")
    func takesDomain() throws {
        let account = try account(["AZURE_STORAGE_DOMAIN": "blob.core.usgovcloudapi.net"])

        let location = try AzureBlobLocation("azblob://states?prefix=p/", account: account)

        #expect(location.origin == "https://account1.blob.core.usgovcloudapi.net")
        #expect((location.account, location.prefix) == ("account1", "p/"))
    }

    @Test(
        "are refused with every problem named",
        arguments: [
            ("azblob://St?colour=red", ["'St' is no name of a container", "'colour' is unknown"]),
            ("azblob://a--b", ["is no name of a container"]),
            ("azblob://states?protocol=ftp", ["'protocol' takes https or http"]),
            ("azblob://states?domain=a/b", ["domain takes host"]),
            ("azblob://states?storage_account=A", ["'A' is no name of an account"]),
            ("s3://states", ["does not begin with azblob://"]),
        ]
    )
    func refuses(url: String, words: [String]) throws {
        let account = try account()

        let problem = #expect(throws: BucketURLProblem.self) { try AzureBlobLocation(url, account: account) }

        for word in words { #expect(problem?.description.contains(word) == true, "\(problem?.description ?? "")") }
    }

    @Test(
        "need an account whose settings fit",
        arguments: [
            (["AZURE_STORAGE_ACCOUNT": "A!"], "AZURE_STORAGE_ACCOUNT"),
            (["AZURE_STORAGE_KEY": "not base64"], "AZURE_STORAGE_KEY"),
            (["AZURE_STORAGE_ACCOUNT": "", "AZURE_STORAGE_KEY": "YQ=="], "AZURE_STORAGE_KEY"),
        ]
    )
    func checksAccount(environment: [String: String], name: String) {
        let error = #expect(throws: ConfigurationError.self) { _ = try account(environment) }

        #expect(error?.problems.map(\.setting) == [name])
    }
}
