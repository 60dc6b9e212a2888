import JSONScan

/// Where in the inflated body of a checkpoint the state's text is.
package struct CheckpointFrame: Sendable, Equatable {
    /// What stands before the range, when the body's own envelope is not that of an export; else empty.
    package var prefix: [UInt8]
    /// The bytes of the body that belong to the text, to the byte.
    package var range: Range<Int>

    package init(prefix: [UInt8], range: Range<Int>) {
        self.prefix = prefix
        self.range = range
    }

    /// What stands behind the range: the end of the envelope that `prefix` began.
    package var suffix: [UInt8] { prefix.isEmpty ? [] : [UInt8(ascii: "}")] }

    /// Bytes of the text.
    package var textCount: Int { prefix.count + range.count + suffix.count }
}

/// What is known of a whole state that a client without a journal saved (`spec/cli-protocol.md` §11.1, §11.2).
package struct CheckpointOutline: Sendable, Equatable {
    package var frame: CheckpointFrame
    /// SHA-256 of the frame's range and then its prefix: for a verbatim checkpoint, which has none, that of the text,
    /// which the next delta refers to.
    package var hash: [UInt8]
    package var resourceCount: Int
    /// Only verbatim checkpoints are numbered.
    package var sequenceNumber: Int64?
}

/// Reads a plain or verbatim checkpoint while it passes; memory does not grow with it.
package struct CheckpointReader {
    package enum Form: Sendable {
        /// The body is an export with `isInvalid` beside it.
        case plain
        /// The body holds an export, whose bytes count, under `untypedDeployment`.
        case verbatim
    }

    private let form: Form
    private var cutter: Cutter
    private var cuts: [Cut] = []
    private var survey = DocumentSurvey()
    private var hasher: any StreamingHash
    private var start: Int?
    private var end: Int?
    private var position = 0
    private var sequence: Int64?
    private var hasSequence = false
    private var isInvalid = false
    /// The first breach of the document's rules; forgotten when the body says that it is invalid.
    private var problem: StateError?

    package init(_ form: Form, hash: HashMaker) {
        self.form = form
        cutter = Cutter(form == .plain ? .document : .verbatim)
        hasher = hash()
    }

    /// Takes the next bytes of the inflated body.
    package mutating func feed(_ window: ArraySlice<UInt8>) throws(StateError) {
        cuts.removeAll(keepingCapacity: true)
        do {
            try cutter.feed(window, into: &cuts)
        } catch {
            throw .malformed(error)
        }
        for cut in cuts { take(cut) }
        cuts.removeAll(keepingCapacity: true)
        hash(window)
        position += window.count
    }

    /// What was saved, after the last bytes; nil for the "invalidate" call of old clients, which keeps the last good
    /// state.
    package mutating func finish() throws(StateError) -> CheckpointOutline? {
        do {
            try cutter.finish()
        } catch {
            throw .malformed(error)
        }
        if isInvalid { return nil }
        guard let start, let end else {
            throw .invalid(path: form == .plain ? "deployment" : "untypedDeployment", problem: "is required")
        }
        if form == .verbatim {
            guard hasSequence else { throw .invalid(path: "sequenceNumber", problem: "is required") }
            guard let sequence, sequence >= 1 else {
                throw .invalid(path: "sequenceNumber", problem: "must be at least 1")
            }
        }
        if let problem { throw problem }
        let summary = try survey.finish().summary
        let prefix = form == .plain ? Self.prefix(summary) : []
        // Last, because what it says may come behind the deployment.
        hasher.update(prefix[...])
        return CheckpointOutline(
            frame: CheckpointFrame(prefix: prefix, range: start..<end),
            hash: hasher.finalize(),
            resourceCount: summary.resourceCount,
            sequenceNumber: sequence
        )
    }

    private mutating func take(_ cut: Cut) {
        switch cut {
        case .opened(form.part, let offset):
            start = offset
        case .closed(form.part, let end):
            self.end = end
        case .member(.document, "deployment", let value, let offset) where form == .plain:
            start = offset
            end = offset + value.count
        case .member(.document, "isInvalid", let value, _) where form == .plain:
            isInvalid = value.elementsEqual("true".utf8)
        case .member(.verbatim, "sequenceNumber", let value, _):
            hasSequence = true
            sequence = JSONScalar.integer(value)
        default:
            break
        }
        guard problem == nil else { return }
        do {
            try survey.take(cut)
        } catch {
            problem = error
        }
    }

    /// Hashes what the window holds of the text.
    private mutating func hash(_ window: ArraySlice<UInt8>) {
        guard let start else { return }
        let from = max(start - position, 0)
        let to = min(end.map { $0 - position } ?? window.count, window.count)
        guard from < to else { return }
        hasher.update(window[(window.startIndex + from)..<(window.startIndex + to)])
    }

    /// The envelope of an export, up to the deployment.
    private static func prefix(_ summary: DocumentSummary) -> [UInt8] {
        var text = Array(#"{"version":\#(summary.version)"#.utf8)
        if !summary.features.isEmpty {
            text += #","features":["#.utf8
            text += summary.features.map { JSONText.encode($0) }.joined(separator: [UInt8(ascii: ",")])
            text.append(UInt8(ascii: "]"))
        }
        return text + Array(#","deployment":"#.utf8)
    }
}

extension CheckpointReader.Form {
    /// The part whose bytes belong to the text.
    fileprivate var part: Part { self == .plain ? .deployment : .document }
}
