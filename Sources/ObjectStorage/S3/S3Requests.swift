import CloudAccess
import Crypto
import Kernel
import OutboundHTTP
import Transfers

/// Makes, signs and sends the requests of one bucket, and says what is wrong with their answers.
struct S3Requests: Sendable {
    /// How long it is asked again when the service has two writers of one name.
    private static let contention = 5

    /// The most bytes of an answer: a part, or what says that there is none.
    static let usualLimit = BucketObjectStore.partSize + (64 << 10)

    let title: String
    private let location: S3Location
    private let credentials: any AWSCredentialSource
    private let client: ServiceClient
    private let effects: Effects
    private let host: String

    init(_ location: S3Location, credentials: any AWSCredentialSource, client: ServiceClient, effects: Effects) {
        self.location = location
        self.credentials = credentials
        self.client = client
        self.effects = effects
        title = "the bucket s3://\(location.bucket)"
        host = location.usesPathStyle ? location.host : "\(location.bucket).\(location.host)"
    }

    func bucket(_ method: String) -> AWSRequest {
        AWSRequest(
            method,
            scheme: location.scheme,
            host: host,
            path: location.usesPathStyle ? "/\(location.bucket)" : "/"
        )
    }

    func object(_ method: String, _ name: String, body: [UInt8]? = nil) -> AWSRequest {
        var request = bucket(method)
        let path = PercentEncoding.encode(name, keepingSlash: true)
        request.path = location.usesPathStyle ? "\(request.path)/\(path)" : "/\(path)"
        request.body = body ?? (method == "PUT" || method == "POST" ? [] : nil)
        return request
    }

    /// - Parameters:
    ///   - payload: the hash of the body when it is known.
    ///   - limit: the most bytes of an answer.
    func send(
        _ request: AWSRequest,
        payload: Digest? = nil,
        limit: Int = Self.usualLimit
    ) async throws -> TransferResponse {
        let payload = payload ?? SHA256.hash(request.body ?? [])
        let patience = ServiceClient.Patience(ofBucket: request.method, body: limit)
        var response = TransferResponse(status: 0)
        for _ in 0..<Self.contention {
            response = try await client.send(to: title, patience) {
                if location.isAnonymous { return request.transfer }
                return AWSSigner(region: location.region, service: "s3")
                    .sign(request, with: try await credentials.credentials(), at: effects.now(), payload: payload)
            }
            // Two conditional writers of one name: the one that lost must ask again to learn what is there.
            if response.status != 409 || S3Failure(response).code != "ConditionalRequestConflict" { break }
        }
        return response
    }

    /// The request as a URL that permits it.
    func sign(_ request: AWSRequest, for life: Duration) async throws -> SignedURL? {
        if location.isAnonymous { return nil }
        var request = request
        request.body = nil
        return SignedURL(
            AWSSigner(region: location.region, service: "s3")
                .presign(request, with: try await credentials.credentials(), at: effects.now(), for: life)
        )
    }

    // MARK: - Answers

    /// - Parameter action: the permission that the request needs, as the vendor names it.
    func require(_ response: TransferResponse, to action: String) throws {
        if (200..<300).contains(response.status) { return }
        let failure = S3Failure(response)
        throw ServiceError.unavailable("\(title): \(failure.explanation(location, action: action))", cause: failure)
    }

    /// The answer's document, whose root must have this name: an error may come with status 200.
    func requireXML(_ response: TransferResponse, _ root: String, to action: String) throws -> XMLElement {
        try require(response, to: action)
        if let document = XMLElement.parse(response.body), document.name == root { return document }
        let failure = S3Failure(response)
        throw ServiceError.unavailable("\(title): \(failure.explanation(location, action: action))", cause: failure)
    }
}

/// An answer of S3 that is none of success.
struct S3Failure: Error, CustomStringConvertible {
    let status: Int
    /// As the vendor lists them, such as `AccessDenied`; empty when the answer has none.
    let code: String
    let message: String
    /// Where the bucket is, when it is elsewhere.
    let region: String?

    init(_ response: TransferResponse) {
        let document = XMLElement.parse(response.body)
        status = response.status
        code = document?["Code"]?.text ?? ""
        message = document?["Message"]?.text ?? ""
        region = response[header: "x-amz-bucket-region"] ?? document?["Region"]?.text
    }

    var isBucketMissing: Bool { code == "NoSuchBucket" }

    /// Some services know no conditions and say so.
    var isUnknownHeader: Bool { code == "NotImplemented" || status == 501 }

    var description: String {
        "status \(status)\(code.isEmpty ? "" : ", \(code)")\(message.isEmpty ? "" : ": \(message)")"
    }

    /// What it means for the operator.
    func explanation(_ location: S3Location, action: String) -> String {
        switch code {
        case "NoSuchBucket": return "it does not exist"
        case "InvalidAccessKeyId": return "the service does not know the access key"
        case "SignatureDoesNotMatch": return "the signature is wrong; check AWS_SECRET_ACCESS_KEY"
        case "RequestTimeTooSkewed": return "the clock of this machine differs too much from the service's"
        case "ExpiredToken", "TokenRefreshRequired": return "the temporary keys have ended"
        case "AccessDenied", "AllAccessDisabled":
            return "access is denied; \(action) must be permitted (\(description))"
        default: break
        }
        if let region, region != location.region, [301, 307, 400].contains(status) {
            return "it is in the region \(region), not in \(location.region); set AWS_REGION or ?region=\(region)"
        }
        if status == 403 { return "access is denied; \(action) must be permitted" }
        return "unexpected answer, \(description)"
    }
}
