import JSONScan

/// What is known of a batch of journal entries without keeping them.
package struct JournalBatchOutline: Sendable, Equatable {
    /// SHA-256 of the inflated text: a client may compress the same batch in another way.
    package var digest: [UInt8]
    /// The lowest and the highest number; nil for an empty batch.
    package var numbers: ClosedRange<Int64>?
    /// How many different entries there are.
    package var count: Int
}

/// Reads a batch, `{"entries":[…]}`, while it passes; memory does not grow with its entries' text.
package struct JournalBatchReader {
    private var cutter = Cutter(.journal)
    private var cuts: [Cut] = []
    private var hasher: any StreamingHash
    /// A hash of each entry's text, by number.
    private var seen: [Int64: UInt64] = [:]

    package init(hash: HashMaker) {
        hasher = hash()
    }

    /// Takes the next bytes of the inflated body.
    ///
    /// - Throws: for an entry that cannot be one, and for two different entries with one number.
    package mutating func feed(_ window: ArraySlice<UInt8>) throws(StateError) {
        hasher.update(window)
        cuts.removeAll(keepingCapacity: true)
        do {
            try cutter.feed(window, into: &cuts)
        } catch {
            throw Self.refusal(error)
        }
        for cut in cuts {
            guard let entry = try JournalEntry(cut) else { continue }
            let hash = ElementHash.hash(entry.bytes)
            guard seen[entry.sequenceID] ?? hash == hash else { throw .sequenceConflict(entry.sequenceID) }
            seen[entry.sequenceID] = hash
        }
        cuts.removeAll(keepingCapacity: true)
    }

    /// The outline, after the last bytes.
    package mutating func finish() throws(StateError) -> JournalBatchOutline {
        do {
            try cutter.finish()
        } catch {
            throw .malformed(error)
        }
        var numbers: ClosedRange<Int64>?
        if let first = seen.keys.min(), let last = seen.keys.max() { numbers = first...last }
        return JournalBatchOutline(digest: hasher.finalize(), numbers: numbers, count: seen.count)
    }

    /// An entry that is too long is not refused as a body that is: a client would split the batch, which cannot help.
    private static func refusal(_ error: ScanError) -> StateError {
        guard case .valueTooLong(let limit) = error.problem else { return .malformed(error) }
        return .invalid(path: "entries", problem: "must hold entries of at most \(limit) bytes")
    }
}

extension JournalEntry {
    /// Reads the entry that a cut of a batch is; nil for any other cut.
    fileprivate convenience init?(_ cut: Cut) throws(StateError) {
        switch cut {
        case .element(.entries, let value, _):
            try self.init(value)
        case .member(.journal, "entries", let value, _) where !JSONScalar.isNull(value):
            throw .invalid(path: "entries", problem: "must be a list")
        default:
            return nil
        }
    }
}

extension JournalEntry {
    /// Reads the entries of a batch's inflated body, `{"entries":[…]}`, in the order they stand there.
    package static func batch(_ body: ArraySlice<UInt8>) throws(StateError) -> [JournalEntry] {
        var entries: [JournalEntry] = []
        try CutLoop.run([body], as: .journal) { cut throws(StateError) in
            if let entry = try JournalEntry(cut) { entries.append(entry) }
        }
        return entries
    }

    /// Reads the entries of a batch that is stored.
    ///
    /// It was checked when it came and is the same to the byte, so its structure is only walked through.
    ///
    /// - Parameter count: how many different entries it has; when it seems to have others, nothing is read.
    package static func stored(_ body: ArraySlice<UInt8>, count: Int) throws(StateError) -> [JournalEntry] {
        var entries: [JournalEntry] = []
        entries.reserveCapacity(count)
        var members = JSONMembers(of: body)
        while let (key, start) = members.nextKey() {
            let value = body[start...]
            guard JSONText.decode(body[key]).elementsEqual("entries".utf8), value.first == UInt8(ascii: "[") else {
                _ = members.skipValue(from: start)
                continue
            }
            var rest = value.dropFirst()
            while let next = rest.firstIndex(where: { $0 > UInt8(ascii: " ") && $0 != UInt8(ascii: ",") }),
                rest[next] == UInt8(ascii: "{")
            {
                let entry = try JournalEntry(rest[next...])
                entries.append(entry)
                rest = rest[entry.bytes.endIndex...]
            }
            members.endValue(at: (rest.firstIndex(of: UInt8(ascii: "]")) ?? body.endIndex - 1) + 1)
        }
        guard Set(entries.map(\.sequenceID)).count == count else {
            throw .invalid(path: "entries", problem: "are not as many as were taken in")
        }
        return entries
    }
}
