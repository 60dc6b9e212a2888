package import Contract
package import Kernel
package import OutboundHTTP
import Transfers

/// Calls Vault, with a token that is renewed, or come by again, before it ends.
package struct VaultAccess: Sendable {
    /// An answer: its status, its object, and what it says is wrong.
    package struct Answer: Sendable {
        package let status: Int
        /// The whole object; empty when there is none.
        package let body: JSONObject
        /// Vault's own words, several with `; ` between them.
        package let errors: String

        /// The object that a successful answer has at `name`.
        package func object(_ name: String) -> JSONObject? {
            if status == 200, case .object(let object)? = body[name] { object } else { nil }
        }
    }

    /// What errors call it.
    package let name: String
    private let connection: Connection
    private let token: Renewed<Redacted<String>>

    private static let patience = ServiceClient.Patience(total: .seconds(2), transfer: .seconds(3), body: 1 << 20)
    private static let kubernetesToken = "/var/run/secrets/kubernetes.io/serviceaccount/token"

    /// Asks nobody before the first call.
    ///
    /// - Parameter kubernetesToken: where a pod finds the token of its service account; tests have their own.
    /// - Throws: `ConfigurationError` when no way to log in is set.
    package init(
        _ configuration: VaultConfiguration,
        client: ServiceClient,
        effects: Effects,
        kubernetesToken: String = VaultAccess.kubernetesToken
    ) throws(ConfigurationError) {
        guard let login = configuration.login else {
            let names = VaultConfiguration.logins.joined(separator: ", ")
            throw ConfigurationError([.init(setting: "VAULT_TOKEN", text: "Vault wants a login: set one of \(names)")])
        }
        let connection = Connection(
            base: "\(configuration.address.url)/v1",
            name: "Vault at \(configuration.address.url)",
            namespace: configuration.namespace,
            client: client
        )
        self.connection = connection
        name = connection.name
        token = Renewed("the token of \(connection.name)", effects: effects) {
            switch login {
            case .token(let token):
                return try await Self.renew(token, connection, effects)
            case .file(let path):
                // Whoever writes it renews it.
                return (
                    try Self.read(path, setting: "CAIRN_VAULT_TOKEN_FILE"), effects.now().advanced(by: .seconds(60))
                )
            case .appRole(let id, let secret, let path):
                let fields: [(name: StaticString, value: String)] = [("role_id", id), ("secret_id", secret.reveal())]
                return try await Self.logIn(at: path, fields, connection, effects)
            case .kubernetes(let role, let path):
                let own = try Self.read(kubernetesToken, setting: "CAIRN_VAULT_KUBERNETES_ROLE")
                return try await Self.logIn(at: path, [("role", role), ("jwt", own.reveal())], connection, effects)
            }
        }
    }

    /// Writes to a path.
    ///
    /// - Parameters:
    ///   - path: below `/v1/`, such as `transit/encrypt/states`.
    ///   - fields: of the JSON object that is sent.
    /// - Throws: `ServiceError` with `.unavailable` when there is no token or no answer.
    package func write(
        _ path: String,
        _ fields: [(name: StaticString, value: String)],
        _ patience: ServiceClient.Patience
    ) async throws -> Answer {
        try await connection.send("POST", path, fields, token: try await token.value(), patience)
    }

    /// Gets a token if there is none, which has a patience of its own.
    package func logIn() async throws {
        _ = try await token.value()
    }

    // MARK: - Tokens

    private static func renew(
        _ token: Redacted<String>,
        _ connection: Connection,
        _ effects: Effects
    ) async throws -> (Redacted<String>, Timestamp?) {
        let found = try await connection.send("GET", "auth/token/lookup-self", nil, token: token, patience)
        guard let data = found.object("data"), let life = seconds(data["ttl"]) else {
            throw connection.failure(found, "does not know VAULT_TOKEN")
        }
        // One of 0 seconds does not end.
        guard life > 0 else { return (token, nil) }
        guard case .bool(true)? = data["renewable"] else { return (token, effects.now().advanced(by: .seconds(life))) }
        let renewed = try await connection.send("POST", "auth/token/renew-self", [], token: token, patience)
        guard let lease = renewed.object("auth").flatMap({ seconds($0["lease_duration"]) }), lease > 0 else {
            // It may be near the end of all it can get; until then it is good.
            return (token, effects.now().advanced(by: .seconds(life)))
        }
        return (token, effects.now().advanced(by: .seconds(lease)))
    }

    private static func logIn(
        at path: String,
        _ fields: [(name: StaticString, value: String)],
        _ connection: Connection,
        _ effects: Effects
    ) async throws -> (Redacted<String>, Timestamp?) {
        let answer = try await connection.send("POST", "\(path)/login", fields, token: nil, patience)
        guard let login = answer.object("auth"), let token = login[text: "client_token"],
            VaultConfiguration.isToken(token), let lease = seconds(login["lease_duration"])
        else { throw connection.failure(answer, "refuses the login at \(path)") }
        return (Redacted(token), lease > 0 ? effects.now().advanced(by: .seconds(lease)) : nil)
    }

    private static func read(_ path: String, setting: String) throws -> Redacted<String> {
        do {
            var text = try SmallFile.read(path)[...]
            while text.last?.isWhitespace == true { text.removeLast() }
            guard VaultConfiguration.isToken(String(text)) else {
                throw ServiceError.unavailable("\(setting): \(path) holds no token")
            }
            return Redacted(String(text))
        } catch let failure as SmallFile.Failure {
            throw ServiceError.unavailable("\(setting): \(failure)")
        }
    }

    private static func seconds(_ value: JSONValue?) -> Int64? {
        guard case .number(let text)? = value, let seconds = Int64(text), (0..<1 << 32).contains(seconds) else {
            return nil
        }
        return seconds
    }
}

/// One Vault and one namespace of it.
private struct Connection: Sendable {
    let base: String
    let name: String
    let namespace: String?
    let client: ServiceClient

    func send(
        _ method: String,
        _ path: String,
        _ fields: [(name: StaticString, value: String)]?,
        token: Redacted<String>?,
        _ patience: ServiceClient.Patience
    ) async throws -> VaultAccess.Answer {
        var headers = [("X-Vault-Request", "true")]
        if let token { headers.append(("X-Vault-Token", token.reveal())) }
        if let namespace { headers.append(("X-Vault-Namespace", namespace)) }
        var body: [UInt8] = []
        if let fields {
            headers.append(("Content-Type", "application/json"))
            body = try RawJSON { json in
                json.beginObject()
                for (name, value) in fields { json.field(name, string: value) }
                json.endObject()
            }.bytes
        }
        let request = TransferRequest(method, "\(base)/\(path)", headers: headers, body: fields == nil ? nil : body)
        return VaultAccess.Answer(try await client.send(to: name, patience) { request })
    }

    func failure(_ answer: VaultAccess.Answer, _ text: String) -> ServiceError {
        .unavailable("\(name) \(text): \(answer.errors.isEmpty ? "status \(answer.status)" : answer.errors)")
    }
}

extension VaultAccess.Answer {
    fileprivate init(_ response: TransferResponse) {
        status = response.status
        if case .object(let object)? = try? JSONValue.parse(response.body) {
            body = object
        } else {
            body = JSONObject([])
        }
        guard case .array(let list)? = body["errors"] else {
            errors = ""
            return
        }
        errors = list.compactMap { item in
            if case .string(let text) = item { text } else { nil }
        }.joined(separator: "; ")
    }
}
