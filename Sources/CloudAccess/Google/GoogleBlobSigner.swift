import Contract
import Crypto
import Kernel
import OutboundHTTP
import Transfers

/// Signs with the key of a service account that Google keeps to itself: `signBlob` of the IAM Credentials API.
///
/// Google changes those keys; what one has signed is good for twelve hours at least.
///
/// Source: "Method: projects.serviceAccounts.signBlob" of the vendor's documentation.
struct GoogleBlobSigner: Sendable {
    private static let patience = ServiceClient.Patience(total: .seconds(2), transfer: .seconds(3), body: 1 << 20)
    private static let permission = "iam.serviceAccounts.signBlob"

    private let address: ServiceAddress
    private let account: Renewed<String>
    private let token: Renewed<Redacted<String>>
    private let client: ServiceClient

    /// - Parameters:
    ///   - account: gives the account's e-mail address.
    ///   - token: gives a token of the same account.
    init(
        at address: ServiceAddress,
        account: Renewed<String>,
        token: Renewed<Redacted<String>>,
        client: ServiceClient
    ) {
        self.address = address
        self.account = account
        self.token = token
        self.client = client
    }

    func email() async throws -> String {
        try await account.value()
    }

    /// A signature by RSASSA-PKCS1-v1_5 with SHA-256.
    ///
    /// - Throws: `ServiceError` with `.unavailable`, whose message says what the operator can do.
    func sign(_ message: [UInt8], as email: String) async throws -> [UInt8] {
        let name = "Google's IAM Credentials service at \(address.url)"
        let body = try RawJSON { json in
            json.beginObject()
            json.field("payload", string: Base64.encode(message))
            json.endObject()
        }
        let response = try await client.send(to: name, Self.patience) {
            TransferRequest(
                "POST",
                "\(address.url)/v1/projects/-/serviceAccounts/\(email):signBlob",
                headers: [
                    ("Authorization", "Bearer \(try await token.value().reveal())"),
                    ("Content-Type", "application/json"),
                ],
                body: body.bytes
            )
        }
        var object = JSONObject([])
        if case .object(let read)? = try? JSONValue.parse(response.body) { object = read }
        guard response.status == 200 else {
            throw ServiceError.unavailable("\(name) does not sign for \(email): \(Self.problem(response, object))")
        }
        guard let signature = object[text: "signedBlob"].flatMap({ Base64.decode($0) }), !signature.isEmpty else {
            throw ServiceError.unavailable("\(name) answers without a signature")
        }
        return signature
    }

    private static func problem(_ response: TransferResponse, _ object: JSONObject) -> String {
        var details = "status \(response.status)"
        if case .object(let error)? = object["error"] {
            details += [error[text: "status"].map { ", \($0)" }, error[text: "message"].map { ": \($0)" }]
                .compactMap { $0 }.joined()
        }
        // Also the answer where the API is off, which the service's message says.
        guard response.status == 403 else { return details }
        return "access is denied; the account needs the permission \(permission) on itself, which the role "
            + "roles/iam.serviceAccountTokenCreator has (\(details))"
    }
}
