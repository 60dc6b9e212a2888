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
        var members = JSONMembers(of: text)
        while let (key, start) = members.nextKey() {
            try fields.take(JSONText.decode(text[key]), from: start, of: text, &members)
        }
        guard let end = members.end else { throw .invalid(path: "entries", problem: "must hold objects") }
        bytes = text[..<end]
        sequenceID = fields.number(.sequenceID) ?? 0
        let name = "journal entry \(sequenceID)"
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
        try checkRareValues(name)
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

    /// The known keys by the length of their names.
    private static let fields: [[(name: ArraySlice<UInt8>, field: Field)]] = {
        var table = [[(name: ArraySlice<UInt8>, field: Field)]](repeating: [], count: 24)
        func add(_ name: String, _ field: Field) {
            table[name.utf8.count].append((ArraySlice(Array(name.utf8)), field))
        }
        for number in Number.allCases { add(String(describing: number), .number(number)) }
        for key in JournalEntry.RareKey.allCases { add(key.rawValue, .rare(key)) }
        add("state", .state)
        add("operation", .operation)
        add("isRefresh", .isRefresh)
        add("requiresByteString", .requiresByteString)
        return table
    }()

    /// Takes the member whose value begins at `start`, and moves `members` behind it.
    mutating func take(
        _ key: ArraySlice<UInt8>,
        from start: Int,
        of text: ArraySlice<UInt8>,
        _ members: inout JSONMembers
    ) throws(StateError) {
        guard key.count < Self.fields.count, let field = Self.fields[key.count].first(where: { $0.name == key })?.field
        else {
            _ = members.skipValue(from: start)
            return
        }
        // Two readers could take two different ones of them; nobody's client sends such an entry.
        guard seen & field.bit == 0 else {
            throw .invalid(path: "entries", problem: "a journal entry has the key '\(key.asText)' twice")
        }
        seen |= field.bit
        // Nearly all of an entry is one of these two: they are walked through once.
        if let end = takeObject(field, text[start...]) { return members.endValue(at: end) }
        let value = text[members.skipValue(from: start)]
        guard !JSONScalar.isNull(value) else { return }
        let isValid =
            switch field {
            case .number(let number): takeNumber(number, value)
            case .state, .operation: false
            case .isRefresh: Self.takeFlag(&isRefresh, value)
            case .requiresByteString: Self.takeFlag(&requiresByteString, value)
            case .rare(let key): takeRare(key, value)
            }
        guard isValid else {
            throw .invalid(path: "entries", problem: "a journal entry has an invalid \(key.asText)")
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

    private mutating func takeNumber(_ key: Number, _ value: ArraySlice<UInt8>) -> Bool {
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
