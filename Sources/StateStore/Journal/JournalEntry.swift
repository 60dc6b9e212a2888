import JSONScan

/// One entry of an update's journal (`spec/cli-protocol.md` §12.2, `cli-observed.md` 2 and 3).
///
/// What it carries stays raw; only numbers, pointers and flags are read. It never changes, so it is shared: a journal has
/// many, and they pass through several hands.
package final class JournalEntry: Sendable {
    package enum Kind: Int64, Sendable, CaseIterable {
        case begin, success, failure, refreshSuccess, outputs, write, secretsManager, rebuiltBaseState
        case extensionParameterize, snippets, stateMigration
    }

    /// Which resource an entry means: by index in the base, by the operation that added it, or neither.
    struct Pointer: Sendable, Equatable {
        var old: Int64?
        var new: Int64?
    }

    package let kind: Kind
    /// The place in the replay order, and the identity of the entry within its update.
    package let sequenceID: Int64
    package let operationID: Int64
    package let isRefresh: Bool
    package let requiresByteString: Bool
    let remove: Pointer
    let delete: Pointer
    let pendingReplacement: Pointer
    let state: StateResource?
    let operation: PendingOperation?
    /// The values that only rare kinds have, by key; null counts as absent.
    let rare: [RareKey: ArraySlice<UInt8>]
    /// The whole entry as it came.
    package let bytes: ArraySlice<UInt8>

    /// The resulting resource as it came, if the entry has one.
    package var stateBytes: ArraySlice<UInt8>? { state?.bytes }

    enum RareKey: String, CaseIterable {
        case secretsProvider, newSnapshot, snippets, extensionRef, `extension`
        case layout, states, baseStatePatches, newStatePatches
    }

    /// Reads the entry that a text begins with, which a `Cutter` has checked.
    ///
    /// Keys that we do not know are kept in `bytes` and otherwise ignored. Kinds and versions that we do not know are
    /// refused by name: the update then fails loudly instead of losing what it did.
    package init(_ text: ArraySlice<UInt8>) throws(StateError) {
        var fields = EntryFields()
        guard let count = try fields.read(text) else { throw .invalid(path: "entries", problem: "must hold objects") }
        bytes = text.prefix(count)
        let sequenceID = fields.number(.sequenceID) ?? 0
        self.sequenceID = sequenceID
        var name: String { "journal entry \(sequenceID)" }
        guard sequenceID >= 1 else { throw .invalid(path: "entries", problem: "a sequenceID must be at least 1") }
        let version = fields.number(.version) ?? 0
        guard version == 1 || version == 2 else {
            throw .invalid(path: "entries", problem: "\(name) has the unsupported version \(version)")
        }
        guard let number = fields.number(.kind), let kind = Kind(rawValue: number) else {
            let found = fields.number(.kind).map { "\($0)" } ?? "none"
            throw .invalid(path: "entries", problem: "\(name) is of the unknown kind \(found)")
        }
        guard kind != .stateMigration || version == 2 else {
            throw .invalid(path: "entries", problem: "\(name) is of kind \(number), which needs version 2")
        }
        self.kind = kind
        operationID = fields.number(.operationID) ?? 0
        isRefresh = fields.isRefresh
        requiresByteString = fields.requiresByteString
        remove = Pointer(old: fields.number(.removeOld), new: fields.number(.removeNew))
        delete = Pointer(old: fields.number(.deleteOld), new: fields.number(.deleteNew))
        pendingReplacement = Pointer(
            old: fields.number(.pendingReplacementOld),
            new: fields.number(.pendingReplacementNew)
        )
        state = fields.state
        operation = fields.operation
        rare = fields.rare
        if !rare.isEmpty || kind == .write || kind == .extensionParameterize { try checkRareValues(name) }
    }

    private func checkRareValues(_ name: String) throws(StateError) {
        for (key, first) in [
            (RareKey.secretsProvider, UInt8(ascii: "{")), (.newSnapshot, UInt8(ascii: "{")),
            (.snippets, UInt8(ascii: "[")), (.extensionRef, UInt8(ascii: "\"")), (.extension, UInt8(ascii: "{")),
        ] {
            guard let value = rare[key], value.first != first else { continue }
            throw .invalid(path: "entries", problem: "\(name): \(key.rawValue) is of the wrong type")
        }
        if kind == .write, rare[.newSnapshot] == nil {
            throw .invalid(path: "entries", problem: "\(name): newSnapshot is required")
        }
        if kind == .extensionParameterize, rare[.extensionRef] == nil || rare[.extension] == nil {
            throw .invalid(path: "entries", problem: "\(name): extensionRef and extension are required")
        }
    }
}

/// The members of an entry while they are read.
private struct EntryFields {
    enum Number: Int, CaseIterable {
        case version, kind, sequenceID, operationID, removeOld, removeNew, deleteOld, deleteNew
        case pendingReplacementOld, pendingReplacementNew
    }

    var state: StateResource?
    var operation: PendingOperation?
    var isRefresh = false
    var requiresByteString = false
    var rare: [JournalEntry.RareKey: ArraySlice<UInt8>] = [:]
    private var numbers = InlineArray<10, Int64?>(repeating: nil)
    private var seen: UInt32 = 0

    func number(_ key: Number) -> Int64? { numbers[key.rawValue] }

    private enum Field {
        case number(Number)
        case state, operation, isRefresh, requiresByteString
        case rare(JournalEntry.RareKey)

        /// One bit per key, to find keys that occur twice.
        var bit: UInt32 {
            switch self {
            case .number(let number): 1 << UInt32(number.rawValue)
            case .state: 1 << 10
            case .operation: 1 << 11
            case .isRefresh: 1 << 12
            case .requiresByteString: 1 << 13
            case .rare(let key): 1 << UInt32(14 + (JournalEntry.RareKey.allCases.firstIndex(of: key) ?? 0))
            }
        }
    }

    private static let fields = KeyTable<Field>(
        Number.allCases.map { (String(describing: $0), .number($0)) }
            + JournalEntry.RareKey.allCases.map { ($0.rawValue, .rare($0)) }
            + [
                ("state", .state), ("operation", .operation), ("isRefresh", .isRefresh),
                ("requiresByteString", .requiresByteString),
            ]
    )

    /// Takes the members of the object that a text begins with.
    ///
    /// - Returns: how many bytes the object has; nil where its end is missing.
    mutating func read(_ text: ArraySlice<UInt8>) throws(StateError) -> Int? {
        let span = text.span
        var walk = JSONMemberWalk(of: span)
        while let (key, start) = walk.nextKey(span) {
            guard let field = Self.field(of: span.extracting(key)) else {
                _ = walk.skipValue(span, from: start)
                continue
            }
            // Two readers could take two different ones of them; nobody's client sends such an entry.
            guard seen & field.bit == 0 else {
                let name = text.dropFirst(key.lowerBound).prefix(key.count)
                throw .invalid(
                    path: "entries",
                    problem: "a journal entry has the key '\(JSONText.decode(name).asText)' twice"
                )
            }
            seen |= field.bit
            // Nearly all of an entry is one of these two: they are walked through once.
            if let end = takeObject(field, text.dropFirst(start)) {
                walk.endValue(at: end - text.startIndex)
                continue
            }
            let value = walk.skipValue(span, from: start)
            guard take(field, span.extracting(value), text, value) else {
                let name = text.dropFirst(key.lowerBound).prefix(key.count)
                throw .invalid(
                    path: "entries",
                    problem: "a journal entry has an invalid \(JSONText.decode(name).asText)"
                )
            }
        }
        return walk.end
    }

    /// What a key means, which stands there as it was sent.
    private static func field(of name: Span<UInt8>) -> Field? {
        guard JSONText.hasEscapes(name) else { return fields.find(name) }
        return fields.find(JSONText.decode(ArraySlice(name.withUnsafeBufferPointer { Array($0) })).span)
    }

    /// Takes a value that is no object of its own; false where it is invalid.
    private mutating func take(
        _ field: Field,
        _ value: Span<UInt8>,
        _ text: ArraySlice<UInt8>,
        _ range: Range<Int>
    ) -> Bool {
        if case .number(let number) = field, !value.isEmpty, value[0] != UInt8(ascii: "n") {
            return takeNumber(number, value)
        }
        let value = text.dropFirst(range.lowerBound).prefix(range.count)
        guard !JSONScalar.isNull(value) else { return true }
        return switch field {
        case .number, .state, .operation: false
        case .isRefresh: Self.takeFlag(&isRefresh, value)
        case .requiresByteString: Self.takeFlag(&requiresByteString, value)
        case .rare(let key): takeRare(key, value)
        }
    }

    /// Takes the resource or operation that a text begins with; answers where it ends, nil when it is none.
    private mutating func takeObject(_ field: Field, _ text: ArraySlice<UInt8>) -> Int? {
        switch field {
        case .state:
            state = StateResource(beginning: text)
            return state?.bytes.endIndex
        case .operation:
            operation = PendingOperation(text)
            return operation?.bytes.endIndex
        default:
            return nil
        }
    }

    private mutating func takeNumber(_ key: Number, _ value: Span<UInt8>) -> Bool {
        guard let number = JSONScalar.integer(value), number >= 0 || key == .kind || key == .version else {
            return false
        }
        numbers[key.rawValue] = number
        return true
    }

    private mutating func takeRare(_ key: JournalEntry.RareKey, _ value: ArraySlice<UInt8>) -> Bool {
        rare[key] = value
        return true
    }

    private static func takeFlag(_ flag: inout Bool, _ value: ArraySlice<UInt8>) -> Bool {
        guard let isOn = JSONScalar.boolean(value) else { return false }
        flag = isOn
        return true
    }
}
