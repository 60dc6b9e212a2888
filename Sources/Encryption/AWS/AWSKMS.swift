import CloudAccess
import Contract
import Crypto
import Kernel
import OutboundHTTP
import Transfers

/// Calls to AWS KMS: JSON 1.1 in the body, the action in a header, signed.
struct AWSKMS: Sendable {
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
    /// - Throws: `AWSRefusal`, and `ServiceError` with `.unavailable` when there is no answer.
    func call(_ action: String, in region: String, _ body: [UInt8]) async throws -> JSONObject {
        // These have a patience of their own: they are renewed long before they are needed.
        let credentials = try await credentials.credentials()
        let address = configuration.address(of: "kms", in: region)
        let request = AWSRequest(json: "TrentService.\(action)", version: "1.1", at: address, body: body)
        let signer = AWSSigner(region: region, service: "kms")
        let name = "AWS KMS at \(address.url)"
        let late = ServiceError.unavailable("\(name) does not answer kms:\(action) in time")
        return try await Deadline.run(within: patience.now.limit, clock: clock, orThrow: late) { [self] in
            try await send(to: name) { signer.sign(request, with: credentials, at: effects.now()) }
        }
    }

    private func send(
        to name: String,
        _ makeRequest: @Sendable () -> TransferRequest
    ) async throws -> JSONObject {
        var pause = Duration.milliseconds(100)
        while true {
            let response = try await client.send(to: name, patience.now.service) { makeRequest() }
            do {
                return try AWSRefusal.object(of: response)
            } catch {
                guard error.isThrottle, pause < .milliseconds(300) else { throw error }
            }
            try await clock.sleep(for: pause)
            pause *= 2
        }
    }

    static func text(_ name: String, _ object: JSONObject) -> String? {
        guard case .string(let text)? = object[name] else { return nil }
        return text
    }
}
