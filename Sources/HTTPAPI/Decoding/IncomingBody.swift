import Compression
import Contract
import HTTPServer
import Kernel
import Synchronization

/// The body of an admitted request: bounded as received and as inflated, read only when somebody asks.
///
/// Like the body of the server under it, it is read once.
package struct IncomingBody: Sendable {
    /// How the bytes were sent.
    package enum Encoding: Sendable {
        case identity
        case gzip
    }

    package let encoding: Encoding
    /// The media type that the client states, without parameters and in lower case; clients state what they like.
    package let contentType: String?
    package let limits: BodyLimits
    let source: RequestBody
    let progress: BodyProgress
    /// Where large bodies are inflated and parsed; nil does it in place.
    let compute: BlockingPool?
    /// What bodies that are held whole take their memory from; nil for no bound.
    private let memory: MemoryBudget?
    /// Whether bytes that begin like gzip are inflated although no header says so: a proxy may have eaten the header,
    /// and no JSON text begins so.
    private let detectsGzip: Bool

    /// The length in the head, as received; nil when it is not known beforehand.
    package var length: Int? { source.length }

    /// - Throws: `.unsupportedMediaType` for an encoding that we do not read, `.tooLarge` for a length beyond the limit.
    init(
        _ request: HTTPRequest,
        intake: BodyIntake,
        limits: BodyLimits,
        progress: BodyProgress,
        compute: BlockingPool?,
        memory: MemoryBudget?
    ) throws(ServiceError) {
        encoding = intake == .none ? .identity : try Self.encoding(of: request.headers)
        contentType = request.headers["Content-Type"].map(Self.mediaType)
        detectsGzip = intake == .json || intake == .rawJSON
        self.limits = limits
        self.progress = progress
        self.compute = compute
        self.memory = memory
        source = request.body
        if intake != .none, let length = request.body.length, length > receivedLimit {
            throw .bodyTooLarge(limit: receivedLimit)
        }
    }

    /// The body as it was sent, piece by piece.
    package var received: Received { Received(body: self) }

    /// The body without compression, piece by piece.
    package var pieces: Pieces { Pieces(body: self) }

    /// The whole body as it was sent.
    ///
    /// It waits until there is memory for it, and holds that until the request is answered.
    package func collectReceived() async throws -> [UInt8] {
        if let memory, memoryNeed >= Self.largeBody {
            progress.hold(try await memory.share(of: memoryNeed, within: Self.patience))
        }
        let bytes = try await progress.watching { try await source.collect(upTo: receivedLimit) }
        progress.count(bytes.count)
        try checkEncoding(beginning: bytes[...])
        return bytes
    }

    /// What the body takes when it is held whole, about: state and journals shrink to an eighth at most.
    private var memoryNeed: Int {
        let received = length ?? receivedLimit
        return encoding == .gzip ? received + min(8 * received, limits.inflated) : received
    }

    /// Clients give up after a minute or more, and repeat what gets 503.
    private static let patience = Duration.seconds(20)

    /// Refuses bytes that are no gzip although the header says so: kept as they came, nobody could tell later.
    func checkEncoding(beginning bytes: ArraySlice<UInt8>) throws(ServiceError) {
        guard encoding == .gzip, let first = bytes.first, first != 0x1f else { return }
        throw CompressionError.corrupt.serviceError
    }

    /// The whole body without compression.
    package func collect() async throws -> [UInt8] {
        let bytes = try await collectReceived()
        return try await compute(on: bytes) { try inflate(bytes) }
    }

    // MARK: - Control bodies

    /// Reads, bounds, parses and decodes the body of an operation; a marker of a raw body is made without reading.
    ///
    /// - Parameter ignoresUnknownFields: whether fields that the body's type does not have are passed over rather than
    ///   refused by name.
    func decode<Body: OperationBody>(
        _ type: Body.Type,
        takesEmpty: Bool,
        ignoresUnknownFields: Bool
    ) async throws -> Body {
        guard Body.intake == .json else { return try Self.decode(.null) }
        guard contentType.map(Self.isJSON) ?? true else { throw ServiceError.notJSON(contentType ?? "") }
        let bytes = try await collectReceived()
        if bytes.isEmpty {
            guard takesEmpty else { throw ServiceError.noBody }
            return try Self.decode(.object(JSONObject([])))
        }
        let value = try await compute(on: bytes) { try Self.parse(inflate(bytes), limit: limits.inflated) }
        let body: Body = try Self.decode(value)
        if !ignoresUnknownFields, let field = value.unknownField() { throw ServiceError.unknownField(field) }
        return body
    }

    private static func decode<Body: OperationBody>(_ value: JSONValue) throws(ServiceError) -> Body {
        do {
            return try Body.decode(value)
        } catch {
            throw ServiceError(error)
        }
    }

    private static func parse(_ bytes: [UInt8], limit: Int) throws(ServiceError) -> JSONValue {
        do {
            return try JSONValue.parse(bytes, limits: JSONLimits(bytes: limit, depth: JSONLimits.deepest))
        } catch {
            throw ServiceError(error)
        }
    }

    /// Bodies from this size on cost milliseconds to inflate and parse.
    private static let largeBody = 65_536

    private func compute<Result: Sendable>(
        on bytes: [UInt8],
        _ work: @escaping @Sendable () throws -> Result
    ) async throws -> Result {
        guard let compute, bytes.count >= Self.largeBody else { return try work() }
        return try await compute.run(deadline: .seconds(10), work)
    }

    private func inflate(_ bytes: [UInt8]) throws(ServiceError) -> [UInt8] {
        guard isGzip(beginning: bytes[...]), !bytes.isEmpty else { return bytes }
        do {
            return try Gzip.gunzip(bytes[...], limit: limits.inflated)
        } catch {
            throw error.serviceError
        }
    }

    func isGzip(beginning bytes: ArraySlice<UInt8>) -> Bool {
        encoding == .gzip || (detectsGzip && bytes.first == 0x1f)
    }

    /// An uncompressed body is bounded by the smaller of both limits.
    var receivedLimit: Int {
        encoding == .gzip ? limits.received : min(limits.received, limits.inflated)
    }

    // MARK: - Headers

    private static func encoding(of headers: HTTPHeaders) throws(ServiceError) -> Encoding {
        guard let first = headers["Content-Encoding"] else { return .identity }
        let values = headers.values(for: "Content-Encoding")
        guard values.count == 1 else { throw .unknownEncoding(values.joined(separator: ", ")) }
        return switch first.lowercased() {
        case "gzip", "x-gzip": .gzip
        case "identity", "": .identity
        default: throw .unknownEncoding(first)
        }
    }

    private static func mediaType(_ header: String) -> String {
        let type = header.utf8.prefix { $0 != UInt8(ascii: ";") }
        return String(Substring(type)).lowercased().filter { $0 != " " && $0 != "\t" }
    }

    private static func isJSON(_ type: String) -> Bool {
        type == "application/json" || type.isEmpty || (type.hasPrefix("application/") && type.hasSuffix("+json"))
    }
}

/// What has arrived of a body so far, for the access log, and the memory that it has.
final class BodyProgress: Sendable {
    private let bytes = Atomic<Int>(0)
    private let left = Atomic<Bool>(false)
    private let memory = Locked<MemoryBudget.Share?>(nil)

    var received: Int { bytes.load(ordering: .relaxed) }

    /// Whether reading ended because the client had gone.
    var clientLeft: Bool { left.load(ordering: .relaxed) }

    /// Holds memory until the request is answered.
    func hold(_ share: MemoryBudget.Share) {
        memory.withLock { $0 = share }
    }

    func count(_ more: Int) {
        bytes.wrappingAdd(more, ordering: .relaxed)
    }

    func watching<Result>(_ read: () async throws -> Result) async throws -> Result {
        do {
            return try await read()
        } catch is CancellationError {
            left.store(true, ordering: .relaxed)
            throw CancellationError()
        }
    }
}
