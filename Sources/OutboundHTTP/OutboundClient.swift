import Crypto
package import Transfers

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
/// Every address is checked at the moment it is connected to. There are no redirects and no proxies, no connection is
/// kept, and nothing of what is refused or answered is shown to whoever chose the URL.
package struct OutboundClient: Sendable {
    private let rules: OutboundRules
    private let authorities: String?
    private let transfers: Transfers

    package init(_ configuration: OutboundConfiguration, transfers: Transfers) {
        self.init(rules: configuration.rules, authorities: configuration.authorities, transfers: transfers)
    }

    package init(rules: OutboundRules, authorities: String? = nil, transfers: Transfers) {
        self.rules = rules
        self.authorities = authorities
        self.transfers = transfers
    }

    /// Fetches a document.
    ///
    /// - Parameters:
    ///   - limit: the most bytes of a body.
    ///   - fingerprints: certificates that are trusted although no authority signed them, by their SHA-256 in hexadecimal.
    /// - Throws: `OutboundError`.
    package func get(
        _ url: String,
        limit: Int,
        trusting fingerprints: [String] = []
    ) async throws(OutboundError) -> OutboundDocument {
        do {
            return try await fetch(url, limit, verifies: true)
        } catch  where error.reason == .untrustedCertificate && !fingerprints.isEmpty {
            // Only the server's own certificate proves anything: others of a chain that is not checked prove nothing.
            let document = try await fetch(url, limit, verifies: false)
            guard let found = document.fingerprint, fingerprints.contains(found) else { throw error }
            return document
        }
    }

    private func fetch(_ url: String, _ limit: Int, verifies: Bool) async throws(OutboundError) -> OutboundDocument {
        var request = TransferRequest("GET", url, headers: [("Accept", "application/json")])
        request.limits.body = limit
        request.trust.authorities = authorities
        request.trust.verifies = verifies
        request.trust.wantsCertificate = true
        request.trust.permits = { [rules] address, isPlain in
            IPAddress(address).map { rules.permits($0, isPlain: isPlain) } ?? false
        }
        do {
            let response = try await transfers.perform(request)
            return OutboundDocument(
                status: response.status,
                body: response.body,
                fingerprint: response.certificate.flatMap(Self.fingerprint)
            )
        } catch {
            throw OutboundError(reason: .init(error.reason), description: error.description)
        }
    }

    private static func fingerprint(pem: String) -> String? {
        let lines = pem.split(whereSeparator: \.isNewline).filter { !$0.hasPrefix("-----") }
        guard let der = Base64.decode(lines.joined()), !der.isEmpty else { return nil }
        return Hex.encode(SHA256.hash(der).bytes)
    }
}

extension OutboundError.Reason {
    fileprivate init(_ reason: TransferError.Reason) {
        switch reason {
        case .badURL: self = .badURL
        case .addressRefused: self = .addressRefused
        case .untrustedCertificate: self = .untrustedCertificate
        case .tooLarge: self = .tooLarge
        case .timedOut: self = .timedOut
        case .failed, .cancelled: self = .failed
        }
    }
}
