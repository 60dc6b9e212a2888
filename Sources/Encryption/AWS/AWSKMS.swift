import CloudAccess
import Contract
import Crypto
import Kernel
import OutboundHTTP
import Transfers

/// Calls to AWS KMS: JSON 1.1 in the body, the action in a header, signed.
struct AWSKMS: Sendable {
    /// What KMS answered instead of a result.
    struct Refusal: Error, CustomStringConvertible {
        /// The name of the exception, such as `AccessDeniedException`.
        let code: String
        let text: String

        var description: String { text.isEmpty ? code : "\(code): \(text)" }
    }

    private let configuration: AWSConfiguration
    private let credentials: any AWSCredentialSource
    private let client: ServiceClient
    private let effects: Effects
    private let clock: any Clock<Duration>
    private let patience: KeyServicePatience

    init(
        _ configuration: AWSConfiguration,
        credentials: any AWSCredentialSource,
        client: ServiceClient,
        effects: Effects,
        clock: any Clock<Duration>,
        patience: KeyServicePatience
    ) {
        self.configuration = configuration
        self.credentials = credentials
        self.client = client
        self.effects = effects
        self.clock = clock
        self.patience = patience
    }

    /// Calls an action.
    ///
    /// - Parameters:
    ///   - action: such as `Decrypt`.
    ///   - region: of the key.
    ///   - body: a JSON object.
    /// - Throws: `Refusal`, and `ServiceError` with `.unavailable` when there is no answer.
    func call(_ action: String, in region: String, _ body: [UInt8]) async throws -> JSONObject {
        // These have a patience of their own: they are renewed long before they are needed.
        let credentials = try await credentials.credentials()
        let address = configuration.address(of: "kms", in: region)
        let request = AWSRequest(
            "POST",
            scheme: address.scheme,
            host: address.host.description,
            path: "\(address.path)/",
            headers: [("Content-Type", "application/x-amz-json-1.1"), ("X-Amz-Target", "TrentService.\(action)")],
            body: body
        )
        let signer = AWSSigner(region: region, service: "kms")
        let name = "AWS KMS at \(address.url)"
        let late = ServiceError.unavailable("\(name) does not answer kms:\(action) in time")
        return try await Deadline.run(within: patience.now.limit, clock: clock, orThrow: late) { [self] in
            try await send(to: name) { signer.sign(request, with: credentials, at: effects.now()) }
        }
    }

    /// Too many requests are refused with a status that does not say so.
    private func send(
        to name: String,
        _ makeRequest: @Sendable () -> TransferRequest
    ) async throws -> JSONObject {
        var pause = Duration.milliseconds(100)
        while true {
            let response = try await client.send(to: name, patience.now.service) { makeRequest() }
            guard case .object(let object)? = try? JSONValue.parse(response.body) else {
                throw Refusal(code: "status \(response.status)", text: "the answer is no JSON object")
            }
            if response.status == 200 { return object }
            let refusal = Self.refusal(response.status, object)
            guard refusal.code.hasSuffix("ThrottlingException") || refusal.code == "LimitExceededException",
                pause < .milliseconds(300)
            else { throw refusal }
            try await clock.sleep(for: pause)
            pause *= 2
        }
    }

    /// The name stands behind a namespace, and the text in either of two members.
    private static func refusal(_ status: Int, _ object: JSONObject) -> Refusal {
        let type = text("__type", object) ?? "status \(status)"
        let name = type.split(separator: "#").last.map { String($0) } ?? type
        return Refusal(code: name, text: text("message", object) ?? text("Message", object) ?? "")
    }

    static func text(_ name: String, _ object: JSONObject) -> String? {
        guard case .string(let text)? = object[name] else { return nil }
        return text
    }
}
