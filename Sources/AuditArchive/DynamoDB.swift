import CloudAccess
import Contract
import Kernel
import OutboundHTTP
import Transfers

/// Calls to DynamoDB: JSON 1.0 in the body, the action in a header, signed.
///
/// Every call here may be carried out twice. The `X-Amz-Crc32` of answers is not needed: their length is known, TLS
/// protects what comes, and an answer that is no JSON object counts as none.
struct DynamoDB: Sendable {
    private let address: ServiceAddress
    private let region: String
    private let credentials: any AWSCredentialSource
    private let client: ServiceClient
    private let effects: Effects
    private let clock: any Clock<Duration>

    init(
        _ configuration: AWSConfiguration,
        region: String,
        credentials: any AWSCredentialSource,
        client: ServiceClient,
        effects: Effects,
        clock: any Clock<Duration>
    ) {
        address = configuration.address(of: "dynamodb", in: region)
        self.region = region
        self.credentials = credentials
        self.client = client
        self.effects = effects
        self.clock = clock
    }

    /// Where it is reached, for people.
    var place: String { address.host.description }

    /// Calls an action.
    ///
    /// - Parameters:
    ///   - action: such as `Query`.
    ///   - body: a JSON object.
    /// - Throws: `AWSRefusal`, and `ServiceError` with `.unavailable` when there is no answer.
    func call(_ action: String, _ body: [UInt8], patience: Patience) async throws -> JSONObject {
        let request = AWSRequest(json: "DynamoDB_20120810.\(action)", version: "1.0", at: address, body: body)
        var pauses = Pauses(patience, effects: effects, clock: clock)
        while true {
            do {
                return try await send(request, patience)
            } catch let refusal as AWSRefusal where refusal.isThrottle {
                guard try await pauses.wait() else { throw refusal }
            }
        }
    }

    /// Pauses of what is tried again, growing, until somebody's patience ends.
    func pauses(_ patience: Patience) -> Pauses {
        Pauses(patience, effects: effects, clock: clock)
    }

    private func send(_ request: AWSRequest, _ patience: Patience) async throws -> JSONObject {
        // Their source has a patience of its own.
        let credentials = try await credentials.credentials()
        let signer = AWSSigner(region: region, service: "dynamodb")
        let response = try await client.send(to: "DynamoDB at \(address.url)", patience.service) {
            signer.sign(request, with: credentials, at: effects.now())
        }
        let limits = JSONLimits(bytes: Patience.longestAnswer, values: 4_000_000)
        return try AWSRefusal.object(of: response, limits: limits)
    }
}

extension DynamoDB {
    /// How long somebody waits for DynamoDB, and how long for it to take what is too much at once.
    struct Patience: Sendable {
        /// An answer may hold what a request of 16 MB had in it, with escapes.
        static let longestAnswer = 64 << 20

        let total: Duration
        let service: ServiceClient.Patience

        init(_ total: Duration) {
            self.total = total
            service = ServiceClient.Patience(total: total, transfer: total, body: Self.longestAnswer)
        }

        /// Nobody waits, and the server may be stopping: what fails is done again by the next run of the job.
        static let background = Patience(.seconds(5))
        /// A machine that has just come up may be slow.
        static let start = Patience(.seconds(15))
    }

    /// Growing pauses, up to a patience in all.
    struct Pauses {
        private let patience: Patience
        private let effects: Effects
        private let clock: any Clock<Duration>
        private var spent = Duration.zero
        private var next = Duration.milliseconds(50)

        init(_ patience: Patience, effects: Effects, clock: any Clock<Duration>) {
            self.patience = patience
            self.effects = effects
            self.clock = clock
        }

        /// Waits; false when the patience has ended.
        mutating func wait() async throws -> Bool {
            let pause = next * effects.number(in: 0.5...1)
            guard spent + pause <= patience.total else { return false }
            try await clock.sleep(for: pause)
            spent += pause
            next = min(next * 2, .seconds(1))
            return true
        }
    }
}

extension AWSRefusal {
    /// Whether it is about what was sent, so that other requests may be fine.
    var isAboutContent: Bool {
        code == "ValidationException" || code == "ItemCollectionSizeLimitExceededException"
    }
}

extension JSONObject {
    func text(_ name: String) -> String? {
        guard case .string(let text)? = self[name] else { return nil }
        return text
    }

    func object(_ name: String) -> JSONObject? {
        guard case .object(let object)? = self[name] else { return nil }
        return object
    }

    /// The objects of a list; none where there is no list.
    func objects(_ name: String) -> [JSONObject] {
        guard case .array(let values)? = self[name] else { return [] }
        return values.compactMap { value in
            guard case .object(let object) = value else { return nil }
            return object
        }
    }
}
