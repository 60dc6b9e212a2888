import Contract
package import Kernel
package import OutboundHTTP
import Transfers

/// Gives tokens for services of Google Cloud, renewed before they end.
package struct GoogleCredential: Sendable {
    /// Signs URLs; nil without the key of a service account.
    package let signer: GoogleURLSigner?
    private let renewed: Renewed<Redacted<String>>

    private static let patience = ServiceClient.Patience(total: .seconds(2), transfer: .seconds(3), body: 1 << 20)
    private static let scope = "https://www.googleapis.com/auth/cloud-platform"

    /// Reads the file of the service account, if there is one, and asks nobody before the first token is needed; blocks.
    ///
    /// - Throws: `ConfigurationError`.
    package init(
        _ configuration: GoogleConfiguration,
        client: ServiceClient,
        effects: Effects
    ) throws(ConfigurationError) {
        if let file = configuration.keyFile {
            let account = try GoogleServiceAccount(file: file)
            signer = GoogleURLSigner(account)
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
        signer = nil
        let url = "http://\(configuration.metadata)/computeMetadata/v1/instance/service-accounts/default/token"
        let name =
            "The metadata service of this machine at \(configuration.metadata), which was asked for a token of "
            + "Google Cloud because GOOGLE_APPLICATION_CREDENTIALS is not set,"
        let direct = client.direct
        renewed = Renewed("the token of this machine's service account", effects: effects) {
            let response = try await direct.send(to: name, Self.patience) {
                TransferRequest("GET", url, headers: [("Metadata-Flavor", "Google")])
            }
            return try Self.token(response, name, effects)
        }
    }

    /// A token that is good for a while.
    ///
    /// - Throws: `ServiceError` with `.unavailable`, whose message names the source and what is wrong.
    package func token() async throws -> Redacted<String> {
        try await renewed.value()
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
