import Contract
package import Kernel
package import OutboundHTTP
import Transfers

/// Gives tokens for services of Azure, renewed before they end.
package final class AzureCredential: Sendable {
    private let fetcher: AzureTokenFetcher
    private let effects: Effects
    /// One for each service that tokens are for; those are named by the operator, so they are few.
    private let tokens = Locked<[String: Renewed<Redacted<String>>]>([:])

    /// Nothing is asked for before the first token is needed.
    package init(_ configuration: AzureConfiguration, client: ServiceClient, effects: Effects) {
        fetcher = AzureTokenFetcher(configuration, client: client, effects: effects)
        self.effects = effects
    }

    /// A token that is good for a while.
    ///
    /// - Parameter resource: what it is for, such as `https://vault.azure.net`.
    /// - Throws: `ServiceError` with `.unavailable`, whose message names the source and what is wrong.
    package func token(for resource: String) async throws -> Redacted<String> {
        let renewed = tokens.withLock { tokens in
            if let known = tokens[resource] { return known }
            let made = Renewed("the token of Azure for \(resource)", effects: effects) { [fetcher] in
                try await fetcher.fetch(resource)
            }
            tokens[resource] = made
            return made
        }
        return try await renewed.value()
    }
}

/// Gets tokens from where they are said to come from.
private struct AzureTokenFetcher: Sendable {
    private let configuration: AzureConfiguration
    private let client: ServiceClient
    /// Machines answer on their own link, where no proxy is.
    private let direct: ServiceClient
    private let effects: Effects
    private let pool: BlockingPool

    init(_ configuration: AzureConfiguration, client: ServiceClient, effects: Effects) {
        self.configuration = configuration
        self.client = client
        direct = client.direct
        self.effects = effects
        pool = BlockingPool(name: "azure-token", threads: 1, queue: 16)
    }

    private static let patience = ServiceClient.Patience(total: .seconds(2), transfer: .seconds(3), body: 1 << 20)

    func fetch(_ resource: String) async throws -> (value: Redacted<String>, ends: Timestamp?) {
        switch configuration.origin {
        case .secret(let secret, let client, let tenant):
            return try await principal(tenant, client, resource, [("client_secret", secret.reveal())])
        case .federated(let file, let client, let tenant):
            let type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
            let token = try await read(file)
            let fields = [("client_assertion_type", type), ("client_assertion", token)]
            return try await principal(tenant, client, resource, fields)
        case .service(let url, let header, let client):
            return try await managed(
                "The identity service at \(url)",
                "\(url)?\(Self.query("2019-08-01", resource, client))",
                ("X-IDENTITY-HEADER", header.reveal())
            )
        case .instance(let url, let client):
            return try await managed(
                "The metadata service of this machine at \(url), which was asked for a token of Azure because no "
                    + "principal is set,",
                "\(url)/metadata/identity/oauth2/token?\(Self.query("2018-02-01", resource, client))",
                ("Metadata", "true")
            )
        }
    }

    private func principal(
        _ tenant: String,
        _ client: String,
        _ resource: String,
        _ proof: [(name: String, value: String)]
    ) async throws -> (value: Redacted<String>, ends: Timestamp?) {
        let name = "Microsoft Entra ID at \(configuration.authority.url)"
        let fields: [(name: String, value: String)] = [
            ("grant_type", "client_credentials"), ("client_id", client), ("scope", "\(resource)/.default"),
        ]
        let url = "\(configuration.authority.url)/\(PercentEncoding.encode(tenant))/oauth2/v2.0/token"
        let body = Array(PercentEncoding.query(fields + proof).utf8)
        let response = try await self.client.send(to: name, Self.patience) {
            TransferRequest("POST", url, headers: [("Content-Type", "application/x-www-form-urlencoded")], body: body)
        }
        return try token(response, name)
    }

    private func managed(
        _ name: String,
        _ url: String,
        _ header: (String, String)
    ) async throws -> (value: Redacted<String>, ends: Timestamp?) {
        let response = try await direct.send(to: name, Self.patience) {
            TransferRequest("GET", url, headers: [header, ("Accept", "application/json")])
        }
        return try token(response, name)
    }

    private static func query(_ version: String, _ resource: String, _ client: String?) -> String {
        let items: [(name: String, value: String)] = [("api-version", version), ("resource", resource)]
        return PercentEncoding.query(items + (client.map { [("client_id", $0)] } ?? []))
    }

    /// Read anew each time: whoever writes the file replaces the token.
    private func read(_ path: String) async throws -> String {
        let text: String
        do {
            text = try await pool.run(deadline: .seconds(5)) { try SmallFile.read(path) }
        } catch let failure as SmallFile.Failure {
            throw ServiceError.unavailable("The token for Azure cannot be read: \(failure)")
        }
        let token = text.split(whereSeparator: \.isWhitespace)
        guard token.count == 1 else { throw ServiceError.unavailable("\(path) does not hold one token for Azure") }
        return String(token[0])
    }

    /// Its life is told in seconds, or its end is; as numbers or as texts, by who is asked.
    private func token(_ response: TransferResponse, _ name: String) throws -> (Redacted<String>, Timestamp?) {
        let object: JSONObject
        if case .object(let read)? = try? JSONValue.parse(response.body) {
            object = read
        } else {
            object = JSONObject([])
        }
        guard response.status == 200 else {
            let code = object[text: "error"] ?? "status \(response.status)"
            // The lines behind the first one are the service's identifiers.
            let text = object[text: "error_description"]?.split(whereSeparator: \.isNewline).first ?? ""
            throw ServiceError.unavailable("\(name) gives no token: \(code)\(text.isEmpty ? "" : ": \(text)")")
        }
        guard let token = object[text: "access_token"] else {
            throw ServiceError.unavailable("\(name) answers without a token")
        }
        if let end = Self.number("expires_on", object) { return (Redacted(token), Timestamp(seconds: end)) }
        guard let life = Self.number("expires_in", object), life < 1 << 32 else {
            throw ServiceError.unavailable("\(name) does not say when its token ends")
        }
        return (Redacted(token), effects.now().advanced(by: .seconds(life)))
    }

    private static func number(_ name: String, _ object: JSONObject) -> Int64? {
        switch object[name] {
        case .number(let text), .string(let text): Int64(text).flatMap { (0..<1 << 40).contains($0) ? $0 : nil }
        default: nil
        }
    }
}
