import CloudAccess
import Contract
import Crypto
import Kernel
import OutboundHTTP
import Transfers

/// Calls to Azure Key Vault for one key: JSON with a bearer token, which the vault itself says how to get.
struct KeyVault: Sendable {
    /// What the vault answered instead of a result.
    struct Refusal: Error, CustomStringConvertible {
        let status: Int
        /// Such as `KeyNotFound`; the inner code where there is one, such as `KeyDisabled`.
        let code: String
        let text: String

        var description: String { "status \(status), \(code): \(text)" }
    }

    private static let interface = "7.4"

    let address: ServiceAddress
    let key: String
    private let credential: AzureCredential
    private let client: ServiceClient
    private let clock: any Clock<Duration>
    private let patience: KeyServicePatience
    /// What tokens are for, once the vault has said it.
    private let resource = Challenge()

    init(
        _ address: ServiceAddress,
        key: String,
        credential: AzureCredential,
        client: ServiceClient,
        clock: any Clock<Duration>,
        patience: KeyServicePatience
    ) {
        self.address = address
        self.key = key
        self.credential = credential
        self.client = client
        self.clock = clock
        self.patience = patience
    }

    private final class Challenge: Sendable {
        private let value = Locked<String?>(nil)

        var known: String? {
            get { value.withLock { $0 } }
            set { value.withLock { $0 = newValue } }
        }
    }

    /// The key; its newest version when none is given.
    ///
    /// - Throws: `Refusal`, and `ServiceError` with `.unavailable` when there is no answer.
    func get(version: String?) async throws -> JSONObject {
        try await call("GET", "/keys/\(key)\(version.map { "/\($0)" } ?? "")", nil)
    }

    /// Decrypts what was encrypted for a version of the key.
    func decrypt(_ ciphertext: [UInt8], version: String) async throws -> SecretBytes {
        let body = try RawJSON { json in
            json.beginObject()
            json.field("alg", string: "RSA-OAEP-256")
            json.field("value", string: Base64.encode(ciphertext, .url))
            json.endObject()
        }
        let answer = try await call("POST", "/keys/\(key)/\(version)/decrypt", body.bytes)
        guard case .string(let text)? = answer["value"], var bytes = Base64.decode(text, .url) else {
            throw ServiceError.unavailable("Azure Key Vault at \(address.url) answers without a value")
        }
        return SecretBytes(wiping: &bytes)
    }

    // MARK: - Calls

    private func call(_ method: String, _ path: String, _ body: [UInt8]?) async throws -> JSONObject {
        let url = "\(address.url)\(path)?api-version=\(Self.interface)"
        var response = try await send(method, url, body, token: try await token())
        if response.status == 401 {
            // The first call, or a vault that has moved to another tenant: it says what the token must be for.
            resource.known = try challenge(response)
            response = try await send(method, url, body, token: try await token())
        }
        guard case .object(let object)? = try? JSONValue.parse(response.body) else {
            throw Refusal(status: response.status, code: "no code", text: "the answer is no JSON object")
        }
        guard response.status == 200 else { throw Self.refusal(response.status, object) }
        return object
    }

    /// None before the vault has said what it must be for.
    private func token() async throws -> Redacted<String>? {
        guard let resource = resource.known else { return nil }
        // It has a patience of its own: it is renewed long before it is needed.
        return try await credential.token(for: resource)
    }

    private func send(
        _ method: String,
        _ url: String,
        _ body: [UInt8]?,
        token: Redacted<String>?
    ) async throws -> TransferResponse {
        let name = "Azure Key Vault at \(address.url)"
        var headers = [("Accept", "application/json")]
        // Without a token nothing is said that the vault does not need to ask for one.
        let body = token == nil ? body.map { _ in Array("{}".utf8) } : body
        if body != nil { headers.append(("Content-Type", "application/json")) }
        if let token { headers.append(("Authorization", "Bearer \(token.reveal())")) }
        let request = TransferRequest(method, url, headers: headers, body: body)
        let late = ServiceError.unavailable("\(name) does not answer in time")
        return try await Deadline.run(within: patience.now.limit, clock: clock, orThrow: late) { [client, patience] in
            try await client.send(to: name, patience.now.service) { request }
        }
    }

    /// What the vault says the token must be for.
    ///
    /// It must be for the vault's own domain: another server must not get tokens that are good elsewhere.
    private func challenge(_ response: TransferResponse) throws -> String {
        let header = response[header: "WWW-Authenticate"] ?? ""
        guard header.lowercased().hasPrefix("bearer "),
            let text = Self.parameter("resource", of: header) ?? Self.parameter("scope", of: header)
        else { throw Refusal(status: 401, code: "no challenge", text: "it does not say which token it takes") }
        let resource = text.hasSuffix("/.default") ? String(text.dropLast("/.default".count)) : text
        guard let named = ServiceAddress(resource) else {
            throw Refusal(status: 401, code: "bad challenge", text: "it asks for a token for '\(text)'")
        }
        let (own, other) = (address.host.host.lowercased(), named.host.host.lowercased())
        guard own == other || own.hasSuffix(".\(other)") else {
            throw Refusal(
                status: 401,
                code: "bad challenge",
                text: "it asks for a token for \(resource), not for itself"
            )
        }
        return resource
    }

    /// The value of `name="value"`, with or without quotes.
    private static func parameter(_ name: String, of header: String) -> String? {
        for part in header.dropFirst("bearer ".count).split(separator: ",") {
            let pair = part.split(separator: "=", maxSplits: 1)
            guard pair.count == 2, pair[0].filter({ $0 != " " }).lowercased() == name else { continue }
            let value = pair[1].filter { $0 != "\"" && $0 != " " }
            return value.isEmpty ? nil : value
        }
        return nil
    }

    private static func refusal(_ status: Int, _ object: JSONObject) -> Refusal {
        guard case .object(let error)? = object["error"] else {
            return Refusal(status: status, code: "no code", text: "")
        }
        var code: JSONValue? = error["code"]
        if case .object(let inner)? = error["innererror"], let name = inner["code"] { code = name }
        func text(_ value: JSONValue?) -> String { if case .string(let text)? = value { text } else { "" } }
        return Refusal(status: status, code: text(code), text: text(error["message"]))
    }
}
