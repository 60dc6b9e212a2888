import CBeast
import Kernel

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Translates a configuration for the C++ side, and its errors back.
enum CServerStart {
    /// Starts listening; the context is what the callbacks get.
    static func start(
        _ configuration: HTTPServerConfiguration,
        _ context: UnsafeMutableRawPointer
    ) throws -> (ServerCore.Handle, ports: [Int]) {
        try check(configuration)
        let memory = CMemory()
        defer { memory.free() }
        var raw = cb_config()
        fillLimits(&raw, configuration)
        let addresses = memory.array(configuration.addresses.count, cb_address())
        for (index, address) in configuration.addresses.enumerated() {
            addresses[index] = cb_address(host: memory.string(address.host), port: UInt16(address.port))
        }
        raw.addresses = UnsafePointer(addresses)
        raw.address_count = configuration.addresses.count
        let exempt = memory.array(configuration.limits.unlimitedAddresses.count, UnsafePointer<CChar>?.none)
        for (index, text) in configuration.limits.unlimitedAddresses.enumerated() {
            exempt[index] = memory.string(text)
        }
        raw.exempt = UnsafePointer(exempt)
        raw.exempt_count = configuration.limits.unlimitedAddresses.count
        raw.server_name = memory.string(configuration.serverName)
        raw.refusals = refusals(configuration, memory)
        if let tls = configuration.tls {
            let place = memory.array(1, cb_tls())
            place[0] = rawTLS(tls, memory)
            raw.tls = UnsafePointer(place)
        }
        var callbacks = Callbacks.make()
        var error = cb_error()
        guard let server = cb_server_start(&raw, &callbacks, context, &error) else {
            throw serviceError(error, configuration)
        }
        let ports = configuration.addresses.indices.map { Int(cb_server_port(server, $0)) }
        return (ServerCore.Handle(pointer: server), ports)
    }

    static func checkTLS(_ tls: HTTPServerConfiguration.TLS) throws {
        let memory = CMemory()
        defer { memory.free() }
        var raw = rawTLS(tls, memory)
        var error = cb_error()
        guard cb_tls_check(&raw, &error) else { throw ServiceError(.invalidArgument, text(of: error)) }
    }

    static func replaceTLS(_ tls: HTTPServerConfiguration.TLS, _ handle: ServerCore.Handle) throws {
        let memory = CMemory()
        defer { memory.free() }
        var raw = rawTLS(tls, memory)
        var error = cb_error()
        guard cb_server_set_tls(handle.pointer, &raw, &error) else {
            throw ServiceError(.invalidArgument, "TLS: \(text(of: error))")
        }
    }

    // MARK: - There

    private static func check(_ configuration: HTTPServerConfiguration) throws {
        let limits = configuration.limits
        let times = configuration.timeLimits
        func require(_ condition: Bool, _ message: String) throws {
            if !condition { throw ServiceError(.invalidArgument, "HTTP server: \(message)") }
        }
        try require(!configuration.addresses.isEmpty, "there is no address to listen on")
        for address in configuration.addresses {
            try require((0...65_535).contains(address.port), "the port of \(address) is not in 0…65535")
        }
        try require(configuration.loops ?? 1 > 0, "there must be at least one loop")
        try require((1024...65_536).contains(limits.headBytes), "the limit of a head is not in 1024…65536")
        try require(
            (1...limits.headBytes).contains(limits.targetBytes),
            "the limit of a target exceeds that of the head"
        )
        try require(limits.fields > 0 && limits.skippedBytes >= 0, "the limits of a request must be positive")
        try require(limits.connections > 0 && limits.connectionsPerAddress > 0, "the limits of connections are zero")
        try require(times.minimumRate > 0 && times.tick > .zero, "the minimum rate and the tick must be positive")
        let name = configuration.serverName.utf8
        let isPlain = name.allSatisfy { (0x20..<0x7F).contains($0) }
        try require((1...64).contains(name.count) && isPlain, "the server's name is not 1 to 64 ASCII characters")
    }

    private static func fillLimits(_ raw: inout cb_config, _ configuration: HTTPServerConfiguration) {
        let limits = configuration.limits
        raw.loops = UInt32(configuration.loops ?? max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        raw.max_connections = UInt32(clamping: limits.connections)
        raw.max_connections_per_address = UInt32(clamping: limits.connectionsPerAddress)
        raw.max_head = UInt32(limits.headBytes)
        raw.max_target = UInt32(limits.targetBytes)
        raw.max_fields = UInt32(clamping: limits.fields)
        raw.max_skipped = UInt32(clamping: limits.skippedBytes)
        let times = configuration.timeLimits
        raw.handshake_timeout = times.handshake.inMilliseconds
        raw.head_timeout = times.head.inMilliseconds
        raw.idle_timeout = times.idle.inMilliseconds
        raw.min_rate = Int64(times.minimumRate)
        raw.rate_grace = times.rateGrace.inMilliseconds
        raw.rate_window = times.rateWindow.inMilliseconds
        raw.linger = times.linger.inMilliseconds
        raw.drain_idle = times.drainIdle.inMilliseconds
        raw.tick = times.tick.inMilliseconds
    }

    private static func refusals(
        _ configuration: HTTPServerConfiguration,
        _ memory: CMemory
    ) -> UnsafePointer<cb_refusal> {
        let answered = RefusalReason.allCases.filter(\.isAnswered)
        let table = memory.array(answered.count, cb_refusal())
        for reason in answered {
            let ready = configuration.readyAnswer(reason)
            table[reason.rawValue] = cb_refusal(
                status: Int32(ready.status.code),
                content_type: memory.string(ready.contentType),
                body: UnsafeRawPointer(memory.bytes(ready.body)),
                body_length: ready.body.count
            )
        }
        return UnsafePointer(table)
    }

    private static func rawTLS(_ tls: HTTPServerConfiguration.TLS, _ memory: CMemory) -> cb_tls {
        let key = tls.key.reveal()
        return cb_tls(
            certificate: memory.bytes(tls.certificate),
            certificate_length: tls.certificate.count,
            key: memory.bytes(key),
            key_length: key.count,
            minimum: Int32(tls.minimumVersion.rawValue)
        )
    }

    // MARK: - And back

    private static func serviceError(_ error: cb_error, _ configuration: HTTPServerConfiguration) -> ServiceError {
        let words = text(of: error)
        let address =
            configuration.addresses.indices.contains(error.address)
            ? configuration.addresses[error.address].description : "?"
        switch error.kind {
        case CB_ERROR_IN_USE:
            return ServiceError(
                .failedPrecondition,
                "\(address) is already in use: stop the process that listens there, or choose another port"
            )
        case CB_ERROR_PERMISSION:
            return ServiceError(
                .failedPrecondition,
                "\(address) may not be listened on: choose a port above 1023, or give the process CAP_NET_BIND_SERVICE"
            )
        case CB_ERROR_ADDRESS:
            return ServiceError(
                .invalidArgument,
                "\(address) cannot be listened on (\(words)): choose an address of this machine"
            )
        case CB_ERROR_TLS:
            return ServiceError(.invalidArgument, "TLS: \(words)")
        case CB_ERROR_EXEMPT:
            return ServiceError(.invalidArgument, "HTTP server: \(words)")
        default:
            return ServiceError(.failedPrecondition, "\(address) cannot be listened on: \(words)")
        }
    }

    private static func text(of error: cb_error) -> String {
        withUnsafeBytes(of: error.text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}

/// Memory that a call into C may read, freed all at once.
private final class CMemory {
    private var blocks: [UnsafeMutableRawPointer] = []

    func array<Element: BitwiseCopyable>(_ count: Int, _ value: Element) -> UnsafeMutablePointer<Element> {
        let start = UnsafeMutablePointer<Element>.allocate(capacity: max(1, count))
        start.initialize(repeating: value, count: max(1, count))
        blocks.append(UnsafeMutableRawPointer(start))
        return start
    }

    func bytes(_ bytes: [UInt8]) -> UnsafePointer<CChar> {
        let start = array(bytes.count, CChar(0))
        for (index, byte) in bytes.enumerated() { start[index] = CChar(bitPattern: byte) }
        return UnsafePointer(start)
    }

    func string(_ text: String) -> UnsafePointer<CChar> {
        bytes(Array(text.utf8) + [0])
    }

    func free() {
        for block in blocks { block.deallocate() }
        blocks = []
    }
}

extension Duration {
    fileprivate var inMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }
}
