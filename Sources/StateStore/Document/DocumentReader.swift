package import JSONScan

/// Builds a `StateDocument` from what a `Cutter` finds, so that reading can follow the windows of an upload.
package struct DocumentReader: Sendable {
    private var version: Int?
    private var features: [String] = []
    private var others: [StateDocument.Member] = []
    private var deployment: Deployment?
    private var hasDeployment = false

    package init() {}

    /// Takes one cut. Those of other parts, such as the members around an `untypedDeployment`, are passed over.
    ///
    /// Its slices are kept as they are: for a text in one piece the document shares the text's storage.
    package mutating func take(_ cut: Cut) throws(StateError) {
        switch cut {
        case .opened(.deployment, _):
            hasDeployment = true
            deployment = Deployment()
        case .member(.document, let key, let value, _):
            try takeEnvelope(key, value)
        case .member(.deployment, let key, let value, _):
            try takeMember(key, value)
        case .element(.resources, let value, _):
            let index = deployment?.resources.count ?? 0
            guard let resource = StateResource(value, origin: index) else {
                throw .invalid(path: "deployment.resources[\(index)]", problem: "must be an object")
            }
            deployment?.resources.append(resource)
        case .element(.pendingOperations, let value, _):
            let index = deployment?.pendingOperations.count ?? 0
            guard let operation = PendingOperation(value) else {
                let path = "deployment.pending_operations[\(index)]"
                throw .invalid(path: path, problem: "must be an object with resource and type")
            }
            deployment?.pendingOperations.append(operation)
        default:
            break
        }
    }

    /// The document, after the last cut.
    package func finish() throws(StateError) -> StateDocument {
        guard let version else { throw .invalid(path: "version", problem: "is required") }
        guard hasDeployment else { throw .invalid(path: "deployment", problem: "is required") }
        return StateDocument(version: version, features: features, others: others, deployment: deployment)
    }

    private mutating func takeEnvelope(_ key: String, _ value: ArraySlice<UInt8>) throws(StateError) {
        switch key {
        case "version":
            guard let number = JSONScalar.integer(value), (1...4).contains(number) else {
                throw .invalid(path: "version", problem: "must be 1 to 4")
            }
            version = Int(number)
        case "features":
            features = try Self.texts(value)
        case "deployment":
            guard JSONScalar.isNull(value) else {
                throw .invalid(path: "deployment", problem: "must be an object or null")
            }
            hasDeployment = true
        default:
            others.append(StateDocument.Member(key, value))
        }
    }

    private mutating func takeMember(_ key: String, _ value: ArraySlice<UInt8>) throws(StateError) {
        guard key == "resources" || key == "pending_operations" else {
            deployment?.members.append(StateDocument.Member(key, value))
            return
        }
        guard JSONScalar.isNull(value) else { throw .invalid(path: "deployment.\(key)", problem: "must be a list") }
    }

    private static func texts(_ list: ArraySlice<UInt8>) throws(StateError) -> [String] {
        guard !JSONScalar.isNull(list) else { return [] }
        guard list.first == UInt8(ascii: "[") else { throw .invalid(path: "features", problem: "must be a list") }
        var result: [String] = []
        for range in JSONElements(of: list) {
            guard let text = JSONScalar.string(list[range]) else {
                throw .invalid(path: "features", problem: "must hold texts only")
            }
            result.append(text.asText)
        }
        return result
    }
}

extension StateDocument {
    /// Reads a whole text, which may lie in several pieces; spans within one piece are not copied.
    package init(
        reading pieces: [ArraySlice<UInt8>],
        limits: Cutter.Limits = Cutter.Limits()
    ) throws(StateError) {
        var cutter = Cutter(.document, limits: limits)
        var reader = DocumentReader()
        var cuts: [Cut] = []
        do {
            for piece in pieces {
                try cutter.feed(piece, into: &cuts)
                for cut in cuts { try reader.take(cut) }
                cuts.removeAll(keepingCapacity: true)
            }
            try cutter.finish()
        } catch let error as ScanError {
            throw .malformed(error)
        } catch let error as StateError {
            throw error
        } catch {
            preconditionFailure("the two errors above are all there are")
        }
        self = try reader.finish()
    }

    package init(reading text: ArraySlice<UInt8>, limits: Cutter.Limits = Cutter.Limits()) throws(StateError) {
        try self.init(reading: [text], limits: limits)
    }
}

extension Deployment {
    /// Reads the body of a deployment alone, as a journal's `newSnapshot` holds it.
    init(readingBody text: ArraySlice<UInt8>) throws(StateError) {
        var reader = DocumentReader()
        do {
            for cut in try Cutter.cut(text, as: .deployment) { try reader.take(cut) }
        } catch let error as ScanError {
            throw .malformed(error)
        } catch let error as StateError {
            throw error
        } catch {
            preconditionFailure("the two errors above are all there are")
        }
        self = reader.body
    }
}

extension DocumentReader {
    fileprivate var body: Deployment { deployment ?? Deployment() }
}
