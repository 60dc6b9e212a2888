import Crypto
package import Kernel

/// The keys of issuers, fetched when they are needed and kept for a while.
///
/// A token that names an unknown key makes them be fetched again, because issuers change keys; but not twice within a
/// minute, because anybody can write such a token (S-25). Requests that meet while keys are fetched wait for one fetch.
package actor IssuerKeys {
    private struct Entry {
        var keys: WebKeySet
        var fetchedAt: Timestamp
    }

    /// Keys are for an issuer as it was registered: what changes it makes them be fetched anew.
    private struct Subject: Hashable {
        let id: OIDCIssuerID
        let modifiedAt: Timestamp
    }

    private static let life = Duration.seconds(600)
    /// How long old keys do when no new ones can be had.
    private static let longestLife = Duration.seconds(3600)
    private static let pause = Duration.seconds(60)
    private static let most = 1000

    private let documents: any IssuerDocuments
    private let now: @Sendable () -> Timestamp
    private var entries: [Subject: Entry] = [:]
    private var attempts: [Subject: Timestamp] = [:]
    private var waiting: [Subject: [CheckedContinuation<Void, Never>]] = [:]

    package init(documents: any IssuerDocuments, effects: Effects) {
        self.documents = documents
        now = effects.now
    }

    /// The keys that may have signed a token.
    ///
    /// Empty when the issuer has none of the name, also after asking it again.
    ///
    /// - Throws: `IssuerUnreachable` when there are no keys to go by.
    func candidates(for token: IdentityToken, of issuer: OIDCIssuer) async throws(IssuerUnreachable) -> [PublicKey] {
        if let text = issuer.keys {
            return WebKeySet(Array(text.utf8))?.candidates(id: token.keyID, algorithm: token.algorithm) ?? []
        }
        let subject = Subject(id: issuer.id, modifiedAt: issuer.modifiedAt)
        if let entry = entries[subject], entry.fetchedAt.advanced(by: Self.life) > now() {
            let found = entry.keys.candidates(id: token.keyID, algorithm: token.algorithm)
            if !found.isEmpty { return found }
        }
        try await refresh(subject, issuer)
        guard let entry = entries[subject], entry.fetchedAt.advanced(by: Self.longestLife) > now() else {
            throw .noDocument("the keys could not be fetched a moment ago")
        }
        return entry.keys.candidates(id: token.keyID, algorithm: token.algorithm)
    }

    /// Fetches the keys unless that was tried within the last minute; waits for whoever does so at the moment.
    private func refresh(_ subject: Subject, _ issuer: OIDCIssuer) async throws(IssuerUnreachable) {
        if waiting[subject] != nil {
            await withCheckedContinuation { waiting[subject, default: []].append($0) }
            return
        }
        if let last = attempts[subject], last.advanced(by: Self.pause) > now() { return }
        forgetOld()
        attempts[subject] = now()
        waiting[subject] = []
        defer { for waiter in waiting.removeValue(forKey: subject) ?? [] { waiter.resume() } }
        do throws(IssuerUnreachable) {
            let (_, keys) = try await Self.fetch(issuer.url, trusting: issuer.thumbprints, from: documents)
            entries[subject] = Entry(keys: keys.set, fetchedAt: now())
        } catch {
            guard entries[subject] != nil else { throw error }
        }
    }

    /// Whoever asks is authenticated by what the keys say, so their number is that of the registered issuers; even so.
    private func forgetOld() {
        guard attempts.count >= Self.most else { return }
        entries = [:]
        attempts = [:]
    }

    /// Reads an issuer's own description and then its keys.
    static func fetch(
        _ url: String,
        trusting thumbprints: [String],
        from documents: any IssuerDocuments
    ) async throws(IssuerUnreachable) -> (metadata: IssuerMetadata, keys: (set: WebKeySet, thumbprint: String?)) {
        let location = IssuerMetadata.location(of: url)
        let metadata = try IssuerMetadata(try await documents.fetch(location, trusting: thumbprints).body, at: url)
        let document = try await documents.fetch(metadata.keysURL, trusting: thumbprints)
        guard let keys = WebKeySet(document.body), !keys.keys.isEmpty else {
            throw .noDocument("'jwks_uri' gives no key that can be used")
        }
        return (metadata, (keys, document.thumbprint))
    }
}
