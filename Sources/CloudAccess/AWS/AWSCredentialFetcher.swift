import Contract
package import Kernel
package import OutboundHTTP
import Transfers

extension AWSAccess {
    /// Keys from the origin, renewed before they end.
    ///
    /// Nothing is asked for before the first request needs keys.
    package func source(client: ServiceClient, effects: Effects) -> any AWSCredentialSource {
        if case .fixed(let credentials) = origin { return FixedAWSCredentials(credentials) }
        let fetcher = AWSCredentialFetcher(self, client: client, effects: effects)
        return RenewedAWSCredentials(
            renewed: Renewed("the keys of AWS", effects: effects) { [origin] in
                let credentials = try await fetcher.fetch(origin)
                return (credentials, credentials.expiration)
            }
        )
    }
}

/// Keys that end and come again.
private struct RenewedAWSCredentials: AWSCredentialSource {
    let renewed: Renewed<AWSCredentials>

    func credentials() async throws -> AWSCredentials {
        try await renewed.value()
    }
}

/// Gets keys from where they are said to come from.
private struct AWSCredentialFetcher: Sendable {
    private let sts: STS
    /// Containers and machines answer on their own link, where no proxy is.
    private let direct: ServiceClient
    /// For files, and programs that are waited for.
    private let pool: BlockingPool

    init(_ access: AWSAccess, client: ServiceClient, effects: Effects) {
        sts = STS(access.configuration, region: access.region, client: client, effects: effects)
        direct = client.direct
        pool = BlockingPool(name: "aws-keys", threads: 1, queue: 16)
    }

    private static let patience = ServiceClient.Patience(total: .seconds(1), transfer: .seconds(2), body: 1 << 20)

    func fetch(_ origin: AWSCredentialOrigin) async throws -> AWSCredentials {
        switch origin {
        case .fixed(let credentials): return credentials
        case .webIdentity(let file, let role): return try await sts.assume(role, withToken: try await read(file))
        case .process(let words): return try await run(words)
        case .container(let url, let token, let file): return try await container(url, token, file)
        case .instance(let url): return try await instance(url)
        case .role(let role, let externalID, let base):
            return try await sts.assume(role, externalID: externalID, with: try await fetch(base))
        }
    }

    /// Read anew each time: whoever writes the file replaces the token.
    private func read(_ path: String) async throws -> String {
        let text: String
        do {
            text = try await pool.run(deadline: .seconds(5)) { try SmallFile.read(path) }
        } catch let failure as SmallFile.Failure {
            throw ServiceError.unavailable("The token for AWS cannot be read: \(failure)")
        }
        let token = text.split(whereSeparator: \.isWhitespace)
        guard token.count == 1 else { throw ServiceError.unavailable("\(path) does not hold one token for AWS") }
        return String(token[0])
    }

    private func run(_ words: [String]) async throws -> AWSCredentials {
        let name = "The program '\(words[0])' of credential_process"
        let result = try await pool.run(deadline: .seconds(60)) {
            ChildProcess.output(of: words, within: .seconds(20), most: 1 << 16)
        }
        switch result {
        case .failure(let failure): throw ServiceError.unavailable("\(name) \(failure)")
        case .success(let output):
            let object = try Self.object(output, name)
            guard object["Version"] == .number("1") else {
                throw ServiceError.unavailable("\(name) does not print Version 1")
            }
            return try Self.credentials(object, token: "SessionToken", name)
        }
    }

    private func container(_ url: String, _ token: Redacted<String>?, _ file: String?) async throws -> AWSCredentials {
        let name = "The container's source of keys at \(url)"
        let token = if let file { try await read(file) } else { token?.reveal() }
        let headers = token.map { [("Authorization", $0)] } ?? []
        let response = try await direct.send(to: name, Self.patience) {
            TransferRequest("GET", url, headers: headers + [("Accept", "application/json")])
        }
        guard response.status == 200 else { throw Self.refusal(name, response) }
        return try Self.credentials(try Self.object(response.body, name), token: "Token", name)
    }

    /// Version 2 of the protocol alone: the first one gives keys to whoever makes this process fetch a URL.
    private func instance(_ url: String) async throws -> AWSCredentials {
        let name =
            "The metadata service of this machine at \(url), which was asked for keys of AWS because none are set,"
        let session = try await direct.send(to: name, Self.patience) {
            TransferRequest(
                "PUT",
                "\(url)/latest/api/token",
                headers: [("X-aws-ec2-metadata-token-ttl-seconds", "300")]
            )
        }
        guard session.status == 200 else { throw Self.refusal(name, session) }
        let headers = [("X-aws-ec2-metadata-token", String(decoding: session.body, as: UTF8.self))]
        let folder = "\(url)/latest/meta-data/iam/security-credentials/"
        let roles = try await direct.send(to: name, Self.patience) { TransferRequest("GET", folder, headers: headers) }
        let lines = String(decoding: roles.body, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard roles.status == 200, let role = lines.first else {
            throw ServiceError.unavailable("\(name) knows no role of this machine")
        }
        let response = try await direct.send(to: name, Self.patience) {
            TransferRequest("GET", folder + role, headers: headers)
        }
        guard response.status == 200 else { throw Self.refusal(name, response) }
        let object = try Self.object(response.body, name)
        guard case .string("Success") = object["Code"] ?? .string("Success") else {
            throw ServiceError.unavailable("\(name) has no keys for the role \(role)")
        }
        return try Self.credentials(object, token: "Token", name)
    }

    // MARK: - Answers

    private static func refusal(_ name: String, _ response: TransferResponse) -> ServiceError {
        .unavailable("\(name) answers with status \(response.status)")
    }

    private static func object(_ bytes: [UInt8], _ name: String) throws -> JSONObject {
        guard case .object(let object)? = try? JSONValue.parse(bytes) else {
            throw ServiceError.unavailable("\(name) does not give a JSON object")
        }
        return object
    }

    private static func credentials(_ object: JSONObject, token: String, _ name: String) throws -> AWSCredentials {
        guard let id = object[text: "AccessKeyId"], let secret = object[text: "SecretAccessKey"] else {
            throw ServiceError.unavailable("\(name) gives no AccessKeyId and SecretAccessKey")
        }
        var expiration: Timestamp?
        if let text = object[text: "Expiration"] {
            guard let time = Timestamp(rfc3339: text) else {
                throw ServiceError.unavailable("\(name) gives an Expiration that is no time")
            }
            expiration = time
        }
        return AWSCredentials(
            accessKeyID: id,
            secretAccessKey: Redacted(secret),
            sessionToken: object[text: token].map { Redacted($0) },
            expiration: expiration
        )
    }
}
