import CloudAccess
import Contract
package import Kernel
import OutboundHTTP
import Transfers

/// Who the server is for Google Cloud Storage.
package enum GoogleStorageAuthorization: Sendable {
    case anonymous
    /// Gives a bearer token that is good for a while.
    case token(@Sendable () async throws -> Redacted<String>)
}

/// A request of one of the service's two interfaces.
struct GoogleStorageRequest: Sendable {
    let method: String
    /// Percent-encoded, behind the address.
    let path: String
    var query: [(name: String, value: String)] = []
    var headers: [(name: String, value: String)] = []
    var body: [UInt8]?
}

/// Makes, authorizes and sends the requests of one bucket, and says what is wrong with their answers.
struct GoogleStorageRequests: Sendable {

    /// The most bytes of an answer: a part, or what says that there is none.
    static let usualLimit = BucketObjectStore.partSize + (64 << 10)

    let title: String
    private let location: GoogleStorageLocation
    private let authorization: GoogleStorageAuthorization
    private let signer: GoogleURLSigner?
    private let client: ServiceClient
    private let effects: Effects

    init(
        _ location: GoogleStorageLocation,
        _ authorization: GoogleStorageAuthorization,
        signer: GoogleURLSigner?,
        client: ServiceClient,
        effects: Effects
    ) {
        self.location = location
        self.authorization = authorization
        self.signer = signer
        self.client = client
        self.effects = effects
        title = "the bucket gs://\(location.bucket)"
    }

    /// The list of objects, in the JSON interface.
    func objects(_ method: String) -> GoogleStorageRequest {
        GoogleStorageRequest(method: method, path: "/storage/v1/b/\(location.bucket)/o")
    }

    /// An object in the JSON interface.
    ///
    /// - Parameter action: what stands behind the name, with its slash.
    func object(_ method: String, _ name: String, action: String = "") -> GoogleStorageRequest {
        GoogleStorageRequest(
            method: method,
            path: "/storage/v1/b/\(location.bucket)/o/\(PercentEncoding.encode(name))\(action)"
        )
    }

    /// What takes a whole object, in the JSON interface.
    func upload() -> GoogleStorageRequest {
        GoogleStorageRequest(method: "POST", path: "/upload/storage/v1/b/\(location.bucket)/o")
    }

    /// What makes of an object another one in the same bucket.
    func rewrite(_ name: String, to other: String) -> GoogleStorageRequest {
        object("POST", name, action: "/rewriteTo/b/\(location.bucket)/o/\(PercentEncoding.encode(other))")
    }

    /// The bucket in the XML interface.
    func bucketXML(_ method: String) -> GoogleStorageRequest {
        GoogleStorageRequest(method: method, path: "/\(location.bucket)")
    }

    /// An object in the XML interface.
    func objectXML(_ method: String, _ name: String, body: [UInt8]? = nil) -> GoogleStorageRequest {
        let path = "/\(location.bucket)/\(PercentEncoding.encode(name, keepingSlash: true))"
        return GoogleStorageRequest(
            method: method,
            path: path,
            body: body ?? (method == "PUT" || method == "POST" ? [] : nil)
        )
    }

    /// - Parameter limit: the most bytes of an answer.
    func send(_ request: GoogleStorageRequest, limit: Int = Self.usualLimit) async throws
        -> TransferResponse
    {
        let patience = ServiceClient.Patience(ofBucket: request.method, body: limit)
        let query = request.query.isEmpty ? "" : "?\(request.query.map(Self.parameter).joined(separator: "&"))"
        return try await client.send(to: title, patience) {
            var headers = request.headers
            if case .token(let source) = authorization {
                headers.append(("Authorization", "Bearer \(try await source().reveal())"))
            }
            return TransferRequest(
                request.method,
                location.address.url + request.path + query,
                headers: headers,
                body: request.body
            )
        }
    }

    /// Nil where no token is sent either.
    func sign(_ access: SignedAccess, _ name: String, for life: Duration) async throws -> SignedURL? {
        guard let signer else { return nil }
        let path = objectXML(access.rawValue, name).path
        let url = try await signer.sign(access.rawValue, path, at: location.address, time: effects.now(), for: life)
        return SignedURL(url.reveal())
    }

    /// One without a value has no `=` either, as `?uploads`.
    private static func parameter(_ item: (name: String, value: String)) -> String {
        let name = PercentEncoding.encode(item.name)
        return item.value.isEmpty ? name : "\(name)=\(PercentEncoding.encode(item.value))"
    }

    // MARK: - Answers

    /// - Parameter permission: what the request needs, as the vendor names it.
    func require(_ response: TransferResponse, to permission: String) throws {
        if (200..<300).contains(response.status) { return }
        throw error(GoogleStorageFailure(response), permission)
    }

    func requireJSON(_ response: TransferResponse, to permission: String) throws -> JSONObject {
        try require(response, to: permission)
        guard case .object(let object)? = try? JSONValue.parse(response.body) else {
            throw error(GoogleStorageFailure(response), permission)
        }
        return object
    }

    /// The answer's document, whose root must have this name: an error may come with status 200.
    func requireXML(_ response: TransferResponse, _ root: String, to permission: String) throws -> XMLElement {
        try require(response, to: permission)
        if let document = XMLElement.parse(response.body), document.name == root { return document }
        throw error(GoogleStorageFailure(response), permission)
    }

    private func error(_ failure: GoogleStorageFailure, _ permission: String) -> ServiceError {
        let explanation = failure.explanation(permission, isAnonymous: location.isAnonymous)
        return .unavailable("\(title): \(explanation)", cause: failure)
    }
}

/// An answer of Google Cloud Storage that is none of success, in either of its two forms.
struct GoogleStorageFailure: Error, CustomStringConvertible {
    /// The most bytes of an answer that is neither JSON nor XML.
    private static let shown = 200

    let status: Int
    /// Such as `NoSuchBucket` in XML and `forbidden` in JSON; empty when the answer has none.
    let code: String
    let message: String

    init(_ response: TransferResponse) {
        status = response.status
        if case .object(let object)? = try? JSONValue.parse(response.body) {
            var found: (code: String?, message: String?) = (
                object[text: "error"], object[text: "error_description"]
            )
            if case .object(let error)? = object["error"] {
                found = (error[text: "status"], error[text: "message"])
                if case .array(let list)? = error["errors"], case .object(let first)? = list.first {
                    found.code = first[text: "reason"] ?? found.code
                }
            }
            (code, message) = (found.code ?? "", found.message ?? "")
        } else if let document = XMLElement.parse(response.body) {
            code = document["Code"]?.text ?? ""
            let details = document["Details"]?.text ?? ""
            message = (document["Message"]?.text ?? "") + (details.isEmpty ? "" : " \(details)")
        } else {
            code = ""
            message =
                response.body.first == UInt8(ascii: "<")
                ? "" : String(decoding: response.body.prefix(Self.shown), as: UTF8.self)
        }
    }

    /// The JSON interface has no word of its own for it, only a sentence.
    var isBucketMissing: Bool {
        code == "NoSuchBucket" || status == 404 && message.contains("bucket does not exist")
    }

    var isObjectMissing: Bool { status == 404 && !isBucketMissing }

    var description: String {
        "status \(status)\(code.isEmpty ? "" : ", \(code)")\(message.isEmpty ? "" : ": \(message)")"
    }

    /// What it means for the operator.
    func explanation(_ permission: String, isAnonymous: Bool) -> String {
        switch status {
        case _ where isBucketMissing:
            "it does not exist"
        case 401 where isAnonymous:
            "it is not open to everybody, and no token is sent to it; \(permission) must be permitted (\(description))"
        case 401:
            "the token is refused; is it that of the account in GOOGLE_APPLICATION_CREDENTIALS, or of this machine? "
                + "(\(description))"
        case 403:
            "access is denied; \(permission) must be permitted (\(description))"
        case 429:
            "the service takes no more requests at the moment (\(description))"
        case 500...:
            "the service fails (\(description))"
        default:
            "unexpected answer, \(description)"
        }
    }
}
