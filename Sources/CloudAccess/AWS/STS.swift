import Kernel
import OutboundHTTP
import Transfers

/// The service of AWS that gives temporary keys for roles.
struct STS: Sendable {
    private let client: ServiceClient
    private let address: ServiceAddress
    private let region: String
    private let effects: Effects

    /// - Parameter region: `us-east-1` when none is known, whose keys are good everywhere.
    init(_ configuration: AWSConfiguration, region: String?, client: ServiceClient, effects: Effects) {
        self.client = client
        self.effects = effects
        self.region = region ?? "us-east-1"
        address = configuration.address(of: "sts", in: self.region)
    }

    private static let patience = ServiceClient.Patience(total: .seconds(2), transfer: .seconds(3), body: 1 << 20)
    /// The most that every role permits.
    private static let seconds = "3600"

    /// Takes on a role with the keys of somebody who may.
    func assume(
        _ role: AWSConfiguration.Role,
        externalID: String?,
        with credentials: AWSCredentials
    ) async throws -> AWSCredentials {
        var fields = fields("AssumeRole", role)
        if let externalID { fields.append(("ExternalId", externalID)) }
        let request = request(fields)
        let signer = AWSSigner(region: region, service: "sts")
        return try await send("sts:AssumeRole", role) {
            signer.sign(request, with: credentials, at: effects.now())
        }
    }

    /// Takes on a role with a token of an identity provider that the role trusts.
    func assume(_ role: AWSConfiguration.Role, withToken token: String) async throws -> AWSCredentials {
        let request = request(fields("AssumeRoleWithWebIdentity", role) + [("WebIdentityToken", token)])
        return try await send("sts:AssumeRoleWithWebIdentity", role) { request.transfer }
    }

    private func fields(_ action: String, _ role: AWSConfiguration.Role) -> [(name: String, value: String)] {
        [
            ("Action", action), ("Version", "2011-06-15"), ("RoleArn", role.arn), ("RoleSessionName", role.session),
            ("DurationSeconds", Self.seconds),
        ]
    }

    private func request(_ fields: [(name: String, value: String)]) -> AWSRequest {
        AWSRequest(
            "POST",
            scheme: address.scheme,
            host: address.host.description,
            path: "\(address.path)/",
            headers: [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")],
            body: Array(PercentEncoding.query(fields).utf8)
        )
    }

    private func send(
        _ action: String,
        _ role: AWSConfiguration.Role,
        _ makeRequest: () async throws -> TransferRequest
    ) async throws -> AWSCredentials {
        let response = try await client.send(to: "AWS STS at \(address.url)", Self.patience, makeRequest)
        let text = String(decoding: response.body, as: UTF8.self)
        guard response.status == 200 else {
            let code = Self.element("Code", of: text) ?? "status \(response.status)"
            let message = Self.element("Message", of: text) ?? ""
            throw ServiceError.unavailable("AWS STS refuses \(action) for \(role.arn): \(code): \(message)")
        }
        guard let id = Self.element("AccessKeyId", of: text), let secret = Self.element("SecretAccessKey", of: text),
            let token = Self.element("SessionToken", of: text),
            let expiration = Self.element("Expiration", of: text).flatMap({ Timestamp(rfc3339: $0) })
        else { throw ServiceError.unavailable("AWS STS at \(address.url) answers \(action) without keys") }
        return AWSCredentials(
            accessKeyID: id,
            secretAccessKey: Redacted(secret),
            sessionToken: Redacted(token),
            expiration: expiration
        )
    }

    /// The text of the first element of that name.
    ///
    /// The few elements that are needed stand once in an answer and have no attributes.
    private static func element(_ name: String, of text: String) -> String? {
        guard let start = text.firstRange(of: "<\(name)>"),
            let end = text[start.upperBound...].firstRange(of: "</\(name)>")
        else { return nil }
        let entities = [
            ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#39;", "'"), ("&amp;", "&"),
        ]
        return entities.reduce(String(text[start.upperBound..<end.lowerBound])) { text, entity in
            text.replacing(entity.0, with: entity.1)
        }
    }
}
