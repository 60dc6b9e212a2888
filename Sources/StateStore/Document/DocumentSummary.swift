package import JSONScan

/// What is known of a state without keeping its spans.
package struct DocumentSummary: Sendable, Equatable {
    package var version = 0
    package var features: [String] = []
    /// False when `deployment` is null.
    package var hasDeployment = false
    package var resourceCount = 0
    package var pendingOperationCount = 0

    package init() {}
}

/// Checks the envelope of a document and counts its elements, from what a `Cutter` finds (§8.1, §9.2).
package struct SummaryReader: Sendable {
    private var summary = DocumentSummary()
    private var hasDeploymentKey = false

    package init() {}

    /// Takes one cut; those of other parts are passed over.
    package mutating func take(_ cut: Cut) throws(StateError) {
        switch cut {
        case .opened(.deployment, _):
            hasDeploymentKey = true
            summary.hasDeployment = true
        case .member(.document, let key, let value, _):
            try takeEnvelope(key, value)
        case .member(.deployment, let key, let value, _) where key == "resources" || key == "pending_operations":
            guard JSONScalar.isNull(value) else { throw .invalid(path: "deployment.\(key)", problem: "must be a list") }
        case .element(.resources, let value, _):
            let index = summary.resourceCount
            guard value.first == UInt8(ascii: "{") else {
                throw .invalid(path: "deployment.resources[\(index)]", problem: "must be an object")
            }
            summary.resourceCount += 1
        case .element(.pendingOperations, let value, _):
            let index = summary.pendingOperationCount
            guard value.first == UInt8(ascii: "{") else {
                throw .invalid(path: "deployment.pending_operations[\(index)]", problem: "must be an object")
            }
            summary.pendingOperationCount += 1
        default:
            break
        }
    }

    /// The summary, after the last cut.
    package func finish() throws(StateError) -> DocumentSummary {
        guard summary.version > 0 else { throw .invalid(path: "version", problem: "is required") }
        guard hasDeploymentKey else { throw .invalid(path: "deployment", problem: "is required") }
        return summary
    }

    /// Reads a whole text in pieces.
    package static func summary(of pieces: [ArraySlice<UInt8>]) throws(StateError) -> DocumentSummary {
        var reader = SummaryReader()
        try CutLoop.run(pieces, as: .document) { cut throws(StateError) in try reader.take(cut) }
        return try reader.finish()
    }

    private mutating func takeEnvelope(_ key: String, _ value: ArraySlice<UInt8>) throws(StateError) {
        switch key {
        case "version":
            guard let number = JSONScalar.integer(value), (1...4).contains(number) else {
                throw .invalid(path: "version", problem: "must be 1 to 4")
            }
            summary.version = Int(number)
        case "features":
            summary.features = try Self.texts(value)
        case "deployment":
            guard JSONScalar.isNull(value) else {
                throw .invalid(path: "deployment", problem: "must be an object or null")
            }
            hasDeploymentKey = true
        default:
            break
        }
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

/// Runs a cutter over pieces of a text and hands each cut on.
enum CutLoop {
    static func run(
        _ pieces: [ArraySlice<UInt8>],
        as root: Part,
        limits: Cutter.Limits = Cutter.Limits(),
        _ body: (Cut) throws(StateError) -> Void
    ) throws(StateError) {
        var cutter = Cutter(root, limits: limits)
        var cuts: [Cut] = []
        for piece in pieces {
            do {
                try cutter.feed(piece, into: &cuts)
            } catch {
                throw .malformed(error)
            }
            for cut in cuts { try body(cut) }
            cuts.removeAll(keepingCapacity: true)
        }
        do {
            try cutter.finish()
        } catch {
            throw .malformed(error)
        }
    }
}
