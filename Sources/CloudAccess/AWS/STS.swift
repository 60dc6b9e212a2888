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
        let answer = XMLElement.parse(response.body)
        guard response.status == 200 else {
            let code = Self.text("Code", answer) ?? "status \(response.status)"
            let message = Self.text("Message", answer) ?? ""
            throw ServiceError.unavailable("AWS STS refuses \(action) for \(role.arn): \(code): \(message)")
        }
        guard let id = Self.text("AccessKeyId", answer), let secret = Self.text("SecretAccessKey", answer),
            let token = Self.text("SessionToken", answer),
            let expiration = Self.text("Expiration", answer).flatMap({ Timestamp(rfc3339: $0) })
        else { throw ServiceError.unavailable("AWS STS at \(address.url) answers \(action) without keys") }
        return AWSCredentials(
            accessKeyID: id,
            secretAccessKey: Redacted(secret),
            sessionToken: Redacted(token),
            expiration: expiration
        )
    }

    /// The text of the first element of that name, however deep it lies.
    private static func text(_ name: String, _ element: XMLElement?) -> String? {
        guard let element else { return nil }
        if element.name == name { return element.text }
        for child in element.children {
            if let text = text(name, child) { return text }
        }
        return nil
    }
}
