/// The state of a replay between two entries; the words are those of `spec/cli-protocol.md` §12.6.
struct Replay {
    struct Marks: OptionSet {
        let rawValue: UInt8

        static let dropped = Marks(rawValue: 1)
        static let delete = Marks(rawValue: 2)
        static let pendingReplacement = Marks(rawValue: 4)
    }

    /// A resource that an entry brought, and what later entries said about it.
    struct NewItem {
        var resource: StateResource
        var marks: Marks = []
    }

    let options: FoldOptions
    let document: StateDocument
    var hasBase: Bool
    /// The base without its resources: envelope members and pending operations.
    var frame: Deployment
    var base: ReplayBase
    var new: [NewItem] = []
    /// Where in `new` the resource of an operation stands.
    var positions: [Int64: Int] = [:]
    var open: [Int64: JournalEntry] = [:]
    /// In the order they came, the last of a name counting.
    var extensions: [StateDocument.Member] = []
    var isRefreshed = false
    var hasByteStrings = false

    init(base document: StateDocument, options: FoldOptions) {
        self.options = options
        self.document = document
        hasBase = document.deployment != nil
        frame = document.deployment ?? Deployment()
        base = ReplayBase(frame.resources)
        frame.resources = []
    }

    mutating func apply(_ entry: JournalEntry) throws(StateError) {
        if entry.requiresByteString { hasByteStrings = true }
        switch entry.kind {
        case .begin: open[entry.operationID] = entry
        case .success: try applySuccess(entry)
        case .failure: open[entry.operationID] = nil
        case .refreshSuccess: try applyRefresh(entry)
        case .outputs: try applyOutputs(entry)
        case .write: try applyWrite(entry)
        case .secretsManager: applySecretsManager(entry)
        case .rebuiltBaseState: rebuild()
        case .extensionParameterize: applyExtension(entry)
        case .snippets: setMember("snippets", entry.rare[.snippets])
        case .stateMigration: try applyMigration(entry)
        }
    }
}

// MARK: - Kinds

extension Replay {
    private mutating func applySuccess(_ entry: JournalEntry) throws(StateError) {
        open[entry.operationID] = nil
        if let state = entry.state {
            positions[entry.operationID] = new.count
            new.append(NewItem(resource: state))
        }
        try mark(entry.remove, .dropped, entry, "remove")
        try mark(entry.delete, .delete, entry, "delete")
        try mark(entry.pendingReplacement, .pendingReplacement, entry, "pendingReplacement")
        if entry.isRefresh { isRefreshed = true }
    }

    private mutating func applyRefresh(_ entry: JournalEntry) throws(StateError) {
        open[entry.operationID] = nil
        isRefreshed = true
        guard entry.state != nil else { return try mark(entry.remove, .dropped, entry, "remove") }
        try replace(entry)
        // The reference forgets this; with it later entries may name the resource by either operation.
        if let operation = entry.remove.new { positions[entry.operationID] = positions[operation] }
    }

    private mutating func applyOutputs(_ entry: JournalEntry) throws(StateError) {
        if entry.state != nil { try replace(entry) }
    }

    private mutating func replace(_ entry: JournalEntry) throws(StateError) {
        guard let state = entry.state else { return }
        if let old = entry.remove.old { base.replace(try baseIndex(old, entry, "removeOld"), by: state) }
        if let operation = entry.remove.new {
            let position = try newPosition(operation, entry, "removeNew")
            // The mark of a removal survives the new text, any other one does not.
            new[position] = NewItem(resource: state, marks: new[position].marks.intersection(.dropped))
        }
    }

    private mutating func mark(
        _ pointer: JournalEntry.Pointer,
        _ mark: Marks,
        _ entry: JournalEntry,
        _ name: String
    ) throws(StateError) {
        if let old = pointer.old { base.mark(try baseIndex(old, entry, "\(name)Old"), mark) }
        if let operation = pointer.new {
            new[try newPosition(operation, entry, "\(name)New")].marks.insert(mark)
        }
    }

    private mutating func applyWrite(_ entry: JournalEntry) throws(StateError) {
        guard let body = entry.rare[.newSnapshot] else { return }
        let snapshot = try Deployment(readingBody: body)
        // Recorded indices keep their meaning only if they exist in the new list; engines send this entry before any.
        guard base.lastTouched < snapshot.resources.count else {
            throw .journalCorrupt(sequenceID: entry.sequenceID, problem: "the new base lacks resources already in use")
        }
        base.exchange(for: snapshot.resources)
        frame = snapshot
        frame.resources = []
        hasBase = true
    }

    private mutating func applySecretsManager(_ entry: JournalEntry) {
        let provider = entry.rare[.secretsProvider]
        let current = frame.value("secrets_providers").flatMap { SecretsProvider($0) }
        if let current, current == provider.flatMap({ SecretsProvider($0) }) { return }
        setMember("secrets_providers", provider)
    }

    private mutating func applyExtension(_ entry: JournalEntry) {
        guard let reference = entry.rare[.extensionRef].flatMap(JSONReading.text), let value = entry.rare[.extension]
        else { return }
        extensions.removeAll { $0.key == reference }
        extensions.append(StateDocument.Member(reference, value))
    }

    /// Makes what would be the result now the base that later indices mean.
    private mutating func rebuild() {
        let result = generate()
        hasBase = true
        frame = result
        frame.resources = []
        base = ReplayBase(result.resources)
        new = []
        positions = [:]
        open = [:]
        extensions = []
    }
}

// MARK: - Pointers

extension Replay {
    /// A checked index into the base.
    ///
    /// The reference would take another resource or crash.
    func baseIndex(_ index: Int64, _ entry: JournalEntry, _ name: String) throws(StateError) -> Int {
        guard index >= 0, index < Int64(base.count) else {
            let problem = "\(name) \(index) is outside of the base, which has \(base.count) resources"
            throw .journalCorrupt(sequenceID: entry.sequenceID, problem: problem)
        }
        return Int(index)
    }

    /// The position of what an operation added.
    ///
    /// The reference would take the first resource for an unknown operation.
    func newPosition(_ operation: Int64, _ entry: JournalEntry, _ name: String) throws(StateError) -> Int {
        guard let position = positions[operation] else {
            let problem = "\(name) \(operation) names an operation that added no resource"
            throw .journalCorrupt(sequenceID: entry.sequenceID, problem: problem)
        }
        return position
    }

    /// Sets or, with nil, removes a member of the body.
    mutating func setMember(_ key: String, _ value: ArraySlice<UInt8>?) {
        let place = frame.members.firstIndex { $0.key == key }
        frame.members.removeAll { $0.key == key }
        guard let value else { return }
        let member = StateDocument.Member(key, value)
        frame.members.insert(member, at: min(place ?? frame.members.count, frame.members.count))
    }
}
