import JSONScan

// Kind 10, state migration (`spec/cli-observed.md` 3): the base's list is laid out anew, with inserted states.

extension Replay {
    mutating func applyMigration(_ entry: JournalEntry) throws(StateError) {
        var trial = self
        if let problem = try trial.migrate(entry) {
            throw .journalCorrupt(sequenceID: entry.sequenceID, problem: "the state migration is refused: \(problem)")
        }
        self = trial
    }

    /// Carries the migration out; the answer says why it must be refused, nil when it need not.
    private mutating func migrate(_ entry: JournalEntry) throws(StateError) -> String? {
        guard hasBase else { return "there is no base" }
        guard frame.pendingOperations.isEmpty else { return "the base has pending operations" }
        guard open.values.allSatisfy({ $0.operation == nil }) else { return "an operation is under way" }
        let states = elements(entry, .states).map { StateResource($0) }
        guard !states.isEmpty else { return "it inserts no state" }
        let inserted = states.compactMap { $0 }
        guard inserted.count == states.count else { return "an inserted state is no object" }
        if let problem = problem(ofInserted: inserted) { return problem }
        if let problem = patchNew(entry) { return problem }
        if let problem = layOut(entry, inserted) { return problem }
        return IntegrityCheck.firstProblem(of: generate(), hash: options.hash)
    }

    private func elements(_ entry: JournalEntry, _ key: JournalEntry.RareKey) -> [ArraySlice<UInt8>] {
        guard let list = entry.rare[key] else { return [] }
        return JSONElements(of: list).map { list[$0] }
    }

    /// What forbids the inserted states, in order.
    private func problem(ofInserted states: [StateResource]) -> String? {
        var known: Set<TextKey> = []
        for state in states {
            guard let text = state.text(.urn), let urn = URN(text) else {
                return "an inserted state has an invalid URN"
            }
            let name = text.asText
            guard state.text(.type) == urn.type else { return "the type of \(name) differs from its URN's" }
            guard !state.flags.contains(.delete) else { return "\(name) is marked for deletion" }
            guard state.text(.viewOf) == nil else { return "\(name) is a view" }
            guard !state.flags.contains(.custom) || state.text(.id) != nil else { return "\(name) has no ID" }
            if let reference = state.text(.extensionRef)?.asText, !isKnownExtension(reference) {
                return "\(name) refers to the unknown extension \(reference)"
            }
            guard known.insert(TextKey(text)).inserted else { return "\(name) is inserted twice" }
        }
        return nil
    }

    private func isKnownExtension(_ reference: String) -> Bool {
        if extensions.contains(where: { $0.key == reference }) { return true }
        return frame.value("extensions").flatMap { JSONReading.member(reference, of: $0) } != nil
    }

    private mutating func patchNew(_ entry: JournalEntry) -> String? {
        var patched: Set<Int> = []
        for patch in elements(entry, .newStatePatches) {
            guard let operation = JSONReading.integer("operationID", of: patch), let position = positions[operation],
                !new[position].marks.contains(.dropped)
            else { return "a patch names an operation without a resource" }
            guard patched.insert(position).inserted else { return "operation \(operation) is patched twice" }
            guard let state = JSONReading.member("state", of: patch).flatMap({ StateResource($0) }) else {
                return "the patch of operation \(operation) has no state"
            }
            new[position] = NewItem(resource: state)
        }
        return nil
    }

    /// Puts the kept resources and the inserted ones in their new order; marks and replacements move along.
    private mutating func layOut(_ entry: JournalEntry, _ inserted: [StateResource]) -> String? {
        var laidOut = ReplayBase([])
        var keptIndices: Set<Int64> = []
        var placedStates: Set<Int64> = []
        var places: [Int64: Int] = [:]
        for place in elements(entry, .layout) {
            switch (JSONReading.integer("baseIndex", of: place), JSONReading.integer("stateIndex", of: place)) {
            case (let index?, nil):
                guard index >= 0, index < Int64(base.count) else { return "base index \(index) is out of range" }
                guard keptIndices.insert(index).inserted else { return "base index \(index) is placed twice" }
                places[index] = laidOut.count
                laidOut.append(Int(index), of: base)
            case (nil, let index?):
                guard index >= 0, index < Int64(inserted.count) else { return "state index \(index) is out of range" }
                guard placedStates.insert(index).inserted else { return "state index \(index) is placed twice" }
                laidOut.append(inserted[Int(index)])
            default:
                return "a place must name either a base index or a state index"
            }
        }
        guard placedStates.count == inserted.count else { return "an inserted state is not placed" }
        var patched: Set<Int64> = []
        for patch in elements(entry, .baseStatePatches) {
            guard let index = JSONReading.integer("index", of: patch), let place = places[index] else {
                return "a patch names a base resource that is not kept"
            }
            guard patched.insert(index).inserted else { return "base index \(index) is patched twice" }
            guard let state = JSONReading.member("state", of: patch).flatMap({ StateResource($0) }) else {
                return "the patch of base index \(index) has no state"
            }
            laidOut.patch(place, with: state)
        }
        base = laidOut
        return nil
    }
}
