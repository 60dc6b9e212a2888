import Identity
import Kernel
import OutboundHTTP

/// Lets `Identity` fetch what issuers say of themselves.
struct OutboundDocuments: IssuerDocuments {
    /// The largest known set of keys, with certificates, has a fifth of it.
    private static let limit = 131_072

    let client: OutboundClient

    func fetch(_ url: String, trusting thumbprints: [String]) async throws(IssuerUnreachable) -> IssuerDocument {
        let document: OutboundDocument
        do {
            document = try await client.get(url, limit: Self.limit, trusting: thumbprints)
        } catch {
            switch error.reason {
            case .addressRefused: throw .addressRefused
            case .untrustedCertificate: throw .untrustedCertificate
            case .badURL, .tooLarge, .timedOut, .failed: throw .noDocument("\(error)")
            }
        }
        guard document.status == 200 else { throw .noDocument("status \(document.status)") }
        return IssuerDocument(body: document.body, thumbprint: document.fingerprint)
    }
}
