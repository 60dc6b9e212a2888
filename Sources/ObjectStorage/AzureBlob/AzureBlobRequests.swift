package import CloudAccess
import Crypto
package import Kernel
import OutboundHTTP
import Transfers

/// Who the server is for Azure Storage.
package enum AzureBlobAuthorization: Sendable {
    case key(AzureSharedKey)
    /// A shared access signature, as the portal gives it.
    case signature(Redacted<String>)
    /// Gives a bearer token that is good for a while.
    case token(@Sendable () async throws -> Redacted<String>)
}

/// Makes, authorizes and sends the requests of one container, and says what is wrong with their answers.
struct AzureBlobRequests: Sendable {
    /// Of the service's interface: the first with conditions on every call that is used here, and of every cloud.
    static let version = "2020-10-02"

    let title: String
    private let location: AzureBlobLocation
    private let authorization: AzureBlobAuthorization
    private let client: ServiceClient
    private let effects: Effects
    /// Of an identity without the account's key.
    private let delegation: AzureBlobDelegation?

    init(
        _ location: AzureBlobLocation,
        _ authorization: AzureBlobAuthorization,
        client: ServiceClient,
        effects: Effects
    ) {
        self.location = location
        self.authorization = authorization
        self.client = client
        self.effects = effects
        let title = "the container azblob://\(location.container) of \(location.account)"
        self.title = title
        delegation =
            if case .token(let source) = authorization {
                AzureBlobDelegation(location, title: title, token: source, client: client, effects: effects)
            } else {
                nil
            }
    }

    func container(_ method: String) -> AzureStorageRequest {
        AzureStorageRequest(
            method,
            origin: location.origin,
            path: "\(location.base)/\(location.container)",
            query: [("restype", "container")]
        )
    }

    func blob(_ method: String, _ name: String, body: [UInt8]? = nil) -> AzureStorageRequest {
        var request = container(method)
        request.query = []
        request.path += "/\(PercentEncoding.encode(name, keepingSlash: true))"
        request.body = body ?? (method == "PUT" ? [] : nil)
        return request
    }

    /// The address of a blob as the source of a copy.
    func source(_ name: String) -> String {
        let request = blob("GET", name)
        if case .signature(let token) = authorization {
            return request.transfer(adding: Self.bare(token.reveal())).url
        }
        return request.transfer().url
    }

    func send(_ request: AzureStorageRequest, limit: Int = BucketObjectStore.partSize + (64 << 10)) async throws
        -> TransferResponse
    {
        let patience = ServiceClient.Patience(ofBucket: request.method, body: limit)
        return try await client.send(to: title, patience) {
            switch authorization {
            case .key(let key):
                return key.sign(request, version: Self.version, at: effects.now())
            case .signature(let token):
                var request = request
                request.headers.append(("x-ms-version", Self.version))
                return request.transfer(adding: Self.bare(token.reveal()))
            case .token(let source):
                var request = request
                request.headers += [
                    ("x-ms-version", Self.version), ("Authorization", "Bearer \(try await source().reveal())"),
                ]
                return request.transfer()
            }
        }
    }

    /// Nil where a signature is all that this server has.
    func sign(_ access: SignedAccess, _ name: String, for life: Duration) async throws -> SignedURL? {
        let grant = AzureBlobGrant(
            account: location.account,
            blob: "\(location.container)/\(name)",
            permissions: access == .get ? "r" : "cw",
            protocols: location.origin.hasPrefix("https:") ? "https" : "https,http",
            until: effects.now().advanced(by: life)
        )
        var request = blob(access.rawValue, name)
        if case .key(let key) = authorization {
            request.query = key.sign(grant)
        } else if let delegation {
            request.query = try await delegation.sign(grant)
        } else {
            return nil
        }
        return SignedURL(request.transfer().url, headers: access == .put ? [("x-ms-blob-type", "BlockBlob")] : [])
    }

    private static func bare(_ token: String) -> String {
        token.hasPrefix("?") ? String(token.dropFirst()) : token
    }

    // MARK: - Answers

    /// - Parameter permission: what the request needs, as the vendor names it.
    func require(_ response: TransferResponse, to permission: String) throws {
        if (200..<300).contains(response.status) { return }
        let failure = AzureBlobFailure(response)
        throw ServiceError.unavailable("\(title): \(failure.explanation(permission))", cause: failure)
    }
}

/// An answer of Azure Storage that is none of success.
struct AzureBlobFailure: Error, CustomStringConvertible {
    let status: Int
    /// As the vendor lists them, such as `ContainerNotFound`; empty when the answer has none.
    let code: String
    let message: String

    init(_ response: TransferResponse) {
        let document = XMLElement.parse(response.body)
        status = response.status
        code = response[header: "x-ms-error-code"] ?? document?["Code"]?.text ?? ""
        message = document?["Message"]?.text.split(separator: "\n").first.map(String.init) ?? ""
    }

    var isBlobMissing: Bool { status == 404 && code != "ContainerNotFound" && code != "ResourceNotFound" }

    var description: String {
        "status \(status)\(code.isEmpty ? "" : ", \(code)")\(message.isEmpty ? "" : ": \(message)")"
    }

    /// What it means for the operator.
    func explanation(_ permission: String) -> String {
        switch code {
        case "ContainerNotFound", "ResourceNotFound": "it does not exist"
        case "AuthenticationFailed":
            "the account's key, signature or token is wrong, or this machine's clock (\(message))"
        case "AuthorizationFailure", "AuthorizationPermissionMismatch", "InsufficientAccountPermissions":
            "access is denied; \(permission) must be permitted (\(description))"
        case "AccountIsDisabled": "the account is disabled"
        default:
            status == 403 ? "access is denied; \(permission) must be permitted" : "unexpected answer, \(description)"
        }
    }
}
