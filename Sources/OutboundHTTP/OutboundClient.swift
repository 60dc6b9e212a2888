import CCurl
import Crypto
package import Kernel

/// A document that another server gave.
package struct OutboundDocument: Sendable {
    package var status: Int
    package var body: [UInt8]
    /// The SHA-256 of the server's own certificate, in lower-case hexadecimal; nil without TLS.
    package var fingerprint: String?
}

/// Why a document could not be had.
package struct OutboundError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Reason: Sendable, Equatable {
        case badURL
        /// The rules do not permit the address that the name stands for.
        case addressRefused
        case untrustedCertificate
        case tooLarge
        case timedOut
        case failed
    }

    package var reason: Reason
    /// For the log.
    package var description: String
}

/// Fetches documents from URLs that users have chosen.
///
/// Every address is checked at the moment it is connected to. There are no redirects and no proxies, and nothing of what
/// is refused or answered is shown to whoever chose the URL.
package struct OutboundClient: Sendable {
    private static let longestConnect = 5000
    private static let longestTransfer = 10_000

    private let rules: OutboundRules
    private let authorities: [CChar]?
    private let pool: BlockingPool

    package init(_ configuration: OutboundConfiguration, pool: BlockingPool) {
        self.init(rules: configuration.rules, authorities: configuration.authorities, pool: pool)
    }

    package init(rules: OutboundRules, authorities: String? = nil, pool: BlockingPool) {
        self.rules = rules
        self.authorities = authorities.map { Array($0.utf8CString.dropLast()) }
        self.pool = pool
    }

    /// Threads for transfers, which block.
    package static func makePool() -> BlockingPool {
        BlockingPool(name: "outbound", threads: 2, queue: 64)
    }

    /// Fetches a document.
    ///
    /// - Parameters:
    ///   - limit: the most bytes of a body.
    ///   - fingerprints: certificates that are trusted although no authority signed them, by their SHA-256 in hexadecimal.
    /// - Throws: `OutboundError`, or `.unavailable` when too much is waiting.
    package func get(_ url: String, limit: Int, trusting fingerprints: [String] = []) async throws -> OutboundDocument {
        let (rules, authorities) = (rules, authorities)
        return try await pool.run(deadline: .seconds(10)) {
            do {
                return try Self.fetch(url, limit, rules, authorities, verifies: true)
            } catch let error as OutboundError where error.reason == .untrustedCertificate && !fingerprints.isEmpty {
                // Only the server's own certificate proves anything: others of a chain that is not checked prove nothing.
                let document = try Self.fetch(url, limit, rules, authorities, verifies: false)
                guard let found = document.fingerprint, fingerprints.contains(found) else { throw error }
                return document
            }
        }
    }

    private static func fetch(
        _ url: String,
        _ limit: Int,
        _ rules: OutboundRules,
        _ authorities: [CChar]?,
        verifies: Bool
    ) throws(OutboundError) -> OutboundDocument {
        guard !url.utf8.contains(0) else { throw OutboundError(reason: .badURL, description: "the URL has a NUL") }
        var result = cairn_fetch_result()
        defer { cairn_fetch_free(&result) }
        withUnsafePointer(to: rules) { rules in
            url.withCString { url in
                (authorities ?? []).withUnsafeBufferPointer { pem in
                    var request = cairn_fetch_request()
                    request.url = url
                    request.connect_milliseconds = longestConnect
                    request.total_milliseconds = longestTransfer
                    request.limit = limit
                    request.authorities = authorities == nil ? nil : pem.baseAddress
                    request.authorities_length = pem.count
                    request.verifies = verifies ? 1 : 0
                    request.permits = permits
                    request.context = UnsafeMutableRawPointer(mutating: rules)
                    cairn_fetch(&request, &result)
                }
            }
        }
        return try document(result)
    }

    private static func document(_ result: cairn_fetch_result) throws(OutboundError) -> OutboundDocument {
        if let reason = reason(result.outcome) {
            let problem = withUnsafeBytes(of: result.problem) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            throw OutboundError(reason: reason, description: problem.isEmpty ? "\(reason)" : problem)
        }
        let body = UnsafeBufferPointer(start: result.body, count: result.body_length)
        return OutboundDocument(
            status: result.status,
            body: Array(body),
            fingerprint: result.certificate.flatMap { fingerprint(pem: String(cString: $0)) }
        )
    }

    private static func reason(_ outcome: cairn_fetch_outcome) -> OutboundError.Reason? {
        switch outcome {
        case CAIRN_FETCH_DONE: nil
        case CAIRN_FETCH_BAD_URL: .badURL
        case CAIRN_FETCH_REFUSED: .addressRefused
        case CAIRN_FETCH_UNTRUSTED: .untrustedCertificate
        case CAIRN_FETCH_TOO_LARGE: .tooLarge
        case CAIRN_FETCH_TIMED_OUT: .timedOut
        default: .failed
        }
    }

    private static func fingerprint(pem: String) -> String? {
        let lines = pem.split(whereSeparator: \.isNewline).filter { !$0.hasPrefix("-----") }
        guard let der = Base64.decode(lines.joined()), !der.isEmpty else { return nil }
        return Hex.encode(SHA256.hash(der).bytes)
    }
}

/// Asks the rules, from libcurl's thread.
///
/// SAFETY: `context` is the rules of the transfer, which outlive it; the address has `length` bytes.
private func permits(
    _ context: UnsafeMutableRawPointer?,
    _ address: UnsafePointer<UInt8>?,
    _ length: Int,
    _ isPlain: Int32
) -> Int32 {
    guard let context, let address, let ip = IPAddress(Array(UnsafeBufferPointer(start: address, count: length))) else {
        return 0
    }
    return context.assumingMemoryBound(to: OutboundRules.self).pointee.permits(ip, isPlain: isPlain != 0) ? 1 : 0
}
