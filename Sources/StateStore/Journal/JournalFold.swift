package import Kernel

/// What a fold needs to know beside base and entries.
///
/// The same values give the same bytes.
package struct FoldOptions: Sendable {
    /// Goes into the manifest.
    package var time: Timestamp
    /// The version of the CLI whose update this is, such as `v3.274.1`; nil keeps that of the base.
    package var cliVersion: String?
    /// Named in `metadata.integrity_error` if the result is unsound.
    package var command: String?
    package var hash: HashMaker

    package init(time: Timestamp, cliVersion: String? = nil, command: String? = nil, hash: @escaping HashMaker) {
        self.time = time
        self.cliVersion = cliVersion
        self.command = command
        self.hash = hash
    }
}

/// The journal of one update: takes entries in any order, as often as they come, and folds them over the base.
///
/// Entries are read when they arrive, so that `finish` has only to replay them (`spec/cli-protocol.md` §12.6). Any set
/// of acknowledged entries can be folded: the CLI waits for what an entry points to, so gaps in the numbers are harmless.
package struct JournalFold: Sendable {
    private var entries: [JournalEntry] = []
    private var positions: [Int64: Int] = [:]

    package init() {}

    /// Number of different entries so far.
    package var count: Int { entries.count }

    /// The highest sequence number so far, 0 without entries.
    package private(set) var lastSequenceID: Int64 = 0

    /// How many numbers below the highest one are missing.
    package var gapCount: Int64 { lastSequenceID - Int64(entries.count) }

    /// Takes a batch; all of it or, when it throws, nothing.
    ///
    /// An entry that is there already is passed over when it is the same to the byte, and refused otherwise: the first
    /// one wins. Answers how many entries were new.
    @discardableResult
    package mutating func add(_ batch: [JournalEntry]) throws(StateError) -> Int {
        let before = entries.count
        for entry in batch {
            if let position = positions[entry.sequenceID] {
                guard entries[position].bytes == entry.bytes else {
                    for entry in entries[before...] { positions[entry.sequenceID] = nil }
                    entries.removeSubrange(before...)
                    throw .sequenceConflict(entry.sequenceID)
                }
                continue
            }
            positions[entry.sequenceID] = entries.count
            entries.append(entry)
        }
        for entry in entries[before...] { lastSequenceID = max(lastSequenceID, entry.sequenceID) }
        return entries.count - before
    }

    /// Takes the inflated body of a batch, `{"entries":[…]}`.
    @discardableResult
    package mutating func add(body: ArraySlice<UInt8>) throws(StateError) -> Int {
        try add(JournalEntry.batch(body))
    }

    /// The state after all entries, in the order of their numbers, over `base`.
    ///
    /// Entries that point to nothing are corruption: nothing is produced then, and the base stays what it is. A result
    /// that breaks the integrity rules is produced, with `metadata.integrity_error` in it.
    package func finish(base: StateDocument, options: FoldOptions) throws(StateError) -> StateDocument {
        var replay = Replay(base: base, options: options)
        for id in positions.keys.sorted() {
            guard let position = positions[id] else { continue }
            try replay.apply(entries[position])
        }
        return try replay.finish()
    }
}
