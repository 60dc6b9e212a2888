/// Fetches the documents of issuers: what they say of themselves, and their keys.
///
/// Satisfied by `OutboundHTTP`, wired in `Server`.
package protocol IssuerDocuments: Sendable {
    /// Fetches one document, bounded in time and size.
    ///
    /// - Parameter thumbprints: certificates that are trusted although no authority signed them.
    func fetch(_ url: String, trusting thumbprints: [String]) async throws(IssuerUnreachable) -> IssuerDocument
}

/// A document as it came.
package struct IssuerDocument: Sendable {
    package var body: [UInt8]
    /// The SHA-256 of the server's certificate in lower-case hexadecimal; nil without TLS.
    package var thumbprint: String?

    package init(body: [UInt8], thumbprint: String? = nil) {
        self.body = body
        self.thumbprint = thumbprint
    }
}

/// Why a document could not be had.
package enum IssuerUnreachable: Error, Sendable, Equatable {
    /// Its address is not one that the server connects to.
    case addressRefused
    case untrustedCertificate
    /// No answer in time, or one that is no document; the text is for the log.
    case noDocument(String)
}
