package import JSONScan

/// Builds a `StateDocument` from what a `Cutter` finds, so that reading can follow the windows of an upload.
package struct DocumentReader: Sendable {
    private var summary = SummaryReader()
    private var others: [StateDocument.Member] = []
    private var deployment: Deployment?

    package init() {}

    /// Takes one cut.
    ///
    /// Those of other parts, such as the members around an `untypedDeployment`, are passed over.
    ///
    /// Its slices are kept as they are: for a text in one piece the document shares the text's storage.
    package mutating func take(_ cut: Cut) throws(StateError) {
        try summary.take(cut)
        switch cut {
        case .opened(.deployment, _):
            deployment = Deployment()
        case .member(.document, let key, let value, _) where !["version", "features", "deployment"].contains(key):
            others.append(StateDocument.Member(key, value))
        case .member(.deployment, let key, let value, _) where key != "resources" && key != "pending_operations":
            deployment?.members.append(StateDocument.Member(key, value))
        case .element(.resources, let value, _):
            let index = deployment?.resources.count ?? 0
            guard let resource = StateResource(value, origin: index) else {
                throw .invalid(path: "deployment.resources[\(index)]", problem: "must be an object")
            }
            deployment?.resources.append(resource)
        case .element(.pendingOperations, let value, _):
            let index = deployment?.pendingOperations.count ?? 0
            guard let operation = PendingOperation(value) else { throw .notPending(index: index) }
            deployment?.pendingOperations.append(operation)
        default:
            break
        }
    }

    /// The document, after the last cut.
    package func finish() throws(StateError) -> StateDocument {
        let envelope = try summary.finish()
        return StateDocument(
            version: envelope.version,
            features: envelope.features,
            others: others,
            deployment: deployment
        )
    }

    /// The body alone, after the last cut of a `Part.deployment`.
    fileprivate var body: Deployment { deployment ?? Deployment() }
}

extension StateDocument {
    /// Reads a whole text, which may lie in several pieces; spans within one piece are not copied.
    package init(
        reading pieces: [ArraySlice<UInt8>],
        limits: Cutter.Limits = Cutter.Limits()
    ) throws(StateError) {
        var reader = DocumentReader()
        try CutLoop.run(pieces, as: .document, limits: limits) { cut throws(StateError) in try reader.take(cut) }
        self = try reader.finish()
    }

    package init(reading text: ArraySlice<UInt8>, limits: Cutter.Limits = Cutter.Limits()) throws(StateError) {
        try self.init(reading: [text], limits: limits)
    }
}

extension Deployment {
    /// Reads the body of a deployment alone, as a journal's `newSnapshot` holds it.
    package init(readingBody text: ArraySlice<UInt8>) throws(StateError) {
        var reader = DocumentReader()
        try CutLoop.run([text], as: .deployment) { cut throws(StateError) in try reader.take(cut) }
        self = reader.body
    }
}
