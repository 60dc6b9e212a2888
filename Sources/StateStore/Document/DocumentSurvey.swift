package import JSONScan

/// What is recorded of a state beside its text.
package struct DocumentContent: Sendable, Equatable {
    package var summary: DocumentSummary
    /// The names of other stacks that its `StackReference` resources read, as the program wrote them, each once.
    ///
    /// Resources about to be deleted count no more.
    package var stackReferenceNames: [String]
}

/// Checks a state while it passes, and collects what is recorded of it; nothing of the text is kept.
package struct DocumentSurvey: Sendable {
    private var summary = SummaryReader()
    private var references: [String] = []
    private var seen: Set<String> = []
    private let foreigners: CiphertextCheck?
    private var provider: ArraySlice<UInt8>?
    private var holdsCiphertext = false
    private var pendingCount = 0

    /// - Parameter names: those of the stack that the state is imported into, and those it had before: secrets that only
    ///   another stack's key can open are refused then (`spec/cli-protocol.md` §9.2). Nil for a state of the stack's own.
    package init(importedInto names: [StackNames]? = nil) {
        foreigners = names.map { CiphertextCheck(names: $0) }
    }

    /// Takes one cut; those of other parts are passed over.
    package mutating func take(_ cut: Cut) throws(StateError) {
        try summary.take(cut)
        switch cut {
        case .member(.deployment, "secrets_providers", let value, _):
            provider = ArraySlice(Array(value))
        case .element(.resources, let value, _):
            if let name = StateResource.stackReferenceName(in: value), seen.insert(name).inserted {
                references.append(name)
            }
            search(value)
        case .element(.pendingOperations, let value, _):
            guard PendingOperation(value) != nil else { throw .notPending(index: pendingCount) }
            pendingCount += 1
            search(value)
        default:
            break
        }
    }

    /// The content, after the last cut.
    package func finish() throws(StateError) -> DocumentContent {
        let summary = try summary.finish()
        if holdsCiphertext, let foreigners, foreigners.isForeign(provider) {
            throw .invalid(
                path: "deployment.secrets_providers",
                problem: "cannot import deployment with encrypted secrets from a different stack"
            )
        }
        return DocumentContent(summary: summary, stackReferenceNames: references)
    }

    /// Looks for ciphertexts as long as they may be another stack's: the provider may come after them.
    private mutating func search(_ value: ArraySlice<UInt8>) {
        guard !holdsCiphertext, let foreigners else { return }
        if provider == nil || foreigners.isForeign(provider) { holdsCiphertext = SpecialValues.holdCiphertext(value) }
    }
}

extension DocumentContent {
    /// Reads a whole text in pieces.
    package init(
        of pieces: [ArraySlice<UInt8>],
        importedInto names: [StackNames]? = nil
    ) throws(StateError) {
        var survey = DocumentSurvey(importedInto: names)
        try CutLoop.run(pieces, as: .document) { cut throws(StateError) in try survey.take(cut) }
        self = try survey.finish()
    }
}

/// Which secrets providers are another stack's.
private struct CiphertextCheck: Sendable {
    let names: [StackNames]

    func isForeign(_ provider: ArraySlice<UInt8>?) -> Bool {
        guard let provider = provider.flatMap({ SecretsProvider($0) }), provider.type == "service" else { return false }
        let owner = StackNames(
            organization: provider.stateText("owner") ?? "",
            project: provider.stateText("project") ?? "",
            stack: provider.stateText("stack") ?? ""
        )
        return !names.contains(owner)
    }
}

extension StateError {
    /// An element of the list that is no pending operation.
    static func notPending(index: Int) -> StateError {
        .invalid(
            path: "deployment.pending_operations[\(index)]",
            problem: "must be an object with resource and type"
        )
    }
}
