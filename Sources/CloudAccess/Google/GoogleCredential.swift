import Contract
package import Kernel
package import OutboundHTTP
import Transfers

/// Gives tokens for services of Google Cloud, renewed before they end.
package struct GoogleCredential: Sendable {
    private enum Account {
        case file(GoogleServiceAccount)
        /// The machine's, which is known by its e-mail address.
        case machine(Renewed<String>)
    }

    private let account: Account
    private let renewed: Renewed<Redacted<String>>
    private let client: ServiceClient
    private let iam: ServiceAddress?

    private static let patience = ServiceClient.Patience(total: .seconds(2), transfer: .seconds(3), body: 1 << 20)
    /// How long the name of the machine's account is believed, which changes where a pod's account is bound to another.
    private static let longestNamed = Duration.seconds(3600)
    private static let scope = "https://www.googleapis.com/auth/cloud-platform"

    /// Reads the file of the service account, if there is one, and asks nobody before the first token is needed; blocks.
    ///
    /// - Throws: `ConfigurationError`.
    package init(
        _ configuration: GoogleConfiguration,
        client: ServiceClient,
        effects: Effects
    ) throws(ConfigurationError) {
        self.client = client
        iam = configuration.iam
        if let file = configuration.keyFile {
            let account = try GoogleServiceAccount(file: file)
            self.account = .file(account)
            renewed = Renewed("the token of \(account.email)", effects: effects) {
                let name = "Google's token service at \(account.tokenURL)"
                let response = try await client.send(to: name, Self.patience) {
                    let fields: [(name: String, value: String)] = [
                        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                        ("assertion", try account.assertion(scope: Self.scope, at: effects.now())),
                    ]
                    return TransferRequest(
                        "POST",
                        account.tokenURL,
                        headers: [("Content-Type", "application/x-www-form-urlencoded")],
                        body: Array(PercentEncoding.query(fields).utf8)
                    )
                }
                return try Self.token(response, "\(name), asked for \(account.email),", effects)
            }
            return
        }
        let url = "http://\(configuration.metadata)/computeMetadata/v1/instance/service-accounts/default"
        let machine = "The metadata service of this machine at \(configuration.metadata), which was asked for"
        let reason = "because GOOGLE_APPLICATION_CREDENTIALS is not set,"
        let direct = client.direct
        renewed = Renewed("the token of this machine's service account", effects: effects) {
            let name = "\(machine) a token of Google Cloud \(reason)"
            let response = try await direct.send(to: name, Self.patience) {
                TransferRequest("GET", "\(url)/token", headers: [("Metadata-Flavor", "Google")])
            }
            return try Self.token(response, name, effects)
        }
        account = .machine(
            Renewed("the name of this machine's service account", effects: effects) {
                let name = "\(machine) the e-mail address of its service account \(reason)"
                let response = try await direct.send(to: name, Self.patience) {
                    TransferRequest("GET", "\(url)/email", headers: [("Metadata-Flavor", "Google")])
                }
                return (try Self.email(response, name), effects.now().advanced(by: Self.longestNamed))
            }
        )
    }

    /// Signs URLs of Cloud Storage: with the key of the file, or by asking Google, which keeps that of the machine.
    ///
    /// - Parameter universe: the domain of the cloud, such as `googleapis.com`.
    package func signer(in universe: String) -> GoogleURLSigner {
        switch account {
        case .file(let account):
            GoogleURLSigner(account)
        case .machine(let email):
            GoogleURLSigner(
                GoogleBlobSigner(
                    at: iam ?? ServiceAddress(host: "iamcredentials.\(universe)"),
                    account: email,
                    token: renewed,
                    client: client
                )
            )
        }
    }

    /// A token that is good for a while.
    ///
    /// - Throws: `ServiceError` with `.unavailable`, whose message names the source and what is wrong.
    package func token() async throws -> Redacted<String> {
        try await renewed.value()
    }

    /// Letters are checked because it goes into a path.
    private static func email(_ response: TransferResponse, _ name: String) throws -> String {
        guard response.status == 200 else {
            throw ServiceError.unavailable("\(name) gives none: status \(response.status)")
        }
        let text = String(decoding: response.body, as: UTF8.self)
        let isGood = text.utf8.allSatisfy {
            (48...57).contains($0) || (97...122).contains($0) || "@.-_".utf8.contains($0)
        }
        guard isGood, text.split(separator: "@", omittingEmptySubsequences: false).map(\.isEmpty) == [false, false]
        else {
            // Where pods have no account of their own, it is the name of a pool.
            throw ServiceError.unavailable(
                "\(name) names '\(text.prefix(100))', which is none; so nothing can be signed"
            )
        }
        return text
    }

    private static func token(
        _ response: TransferResponse,
        _ name: String,
        _ effects: Effects
    ) throws -> (Redacted<String>, Timestamp?) {
        let object: JSONObject
        if case .object(let read)? = try? JSONValue.parse(response.body) {
            object = read
        } else {
            object = JSONObject([])
        }
        guard response.status == 200 else {
            let code = object[text: "error"] ?? "status \(response.status)"
            let text = object[text: "error_description"].map { ": \($0)" } ?? ""
            throw ServiceError.unavailable("\(name) gives no token: \(code)\(text)")
        }
        guard let token = object[text: "access_token"], case .number(let text)? = object["expires_in"],
            let life = Int64(text), (0..<1 << 32).contains(life)
        else { throw ServiceError.unavailable("\(name) answers without a token and its life") }
        return (Redacted(token), effects.now().advanced(by: .seconds(life)))
    }
}
