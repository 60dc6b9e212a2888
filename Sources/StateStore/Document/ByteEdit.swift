import JSONScan

/// The replacement of a range of text.
///
/// An empty range inserts, an empty text removes.
struct ByteEdit {
    var range: Range<Int>
    var text: ArraySlice<UInt8>

    init(_ range: Range<Int>, _ text: ArraySlice<UInt8>) {
        self.range = range
        self.text = text
    }

    /// `text` after `edits`, which are in order and do not overlap; ranges use the indices of the slice.
    static func apply(_ edits: [ByteEdit], to text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard !edits.isEmpty else { return text }
        var result: [UInt8] = []
        result.reserveCapacity(text.count + edits.reduce(0) { $0 + $1.text.count })
        var position = text.startIndex
        for edit in edits {
            result += text[position..<edit.range.lowerBound]
            result += edit.text
            position = edit.range.upperBound
        }
        result += text[position...]
        return result[...]
    }
}

/// Takes items out of an object or array, each with one of the commas beside it; everything else keeps its bytes.
///
/// Visit all items in order: `keep` or `remove` each.
struct ItemRemoval {
    private(set) var edits: [ByteEdit] = []
    private(set) var keptCount = 0
    private var keptEnd: Int?
    /// Where the removed items since the last kept one begin; only as long as none was kept.
    private var pendingStart: Int?
    private var pendingEnd: Int?

    mutating func keep(_ item: Range<Int>) {
        if keptEnd == nil, let start = pendingStart {
            edits.append(ByteEdit(start..<item.lowerBound, []))
        }
        pendingStart = nil
        pendingEnd = nil
        keptCount += 1
        keptEnd = item.upperBound
    }

    mutating func remove(_ item: Range<Int>) {
        if let end = keptEnd {
            edits.append(ByteEdit(end..<item.upperBound, []))
            keptEnd = item.upperBound
        } else {
            pendingStart = pendingStart ?? item.lowerBound
            pendingEnd = item.upperBound
        }
    }

    /// Call once, after the last item.
    mutating func finish() {
        if let start = pendingStart, let end = pendingEnd { edits.append(ByteEdit(start..<end, [])) }
    }
}

/// What becomes of a member of an object.
enum MemberEdit {
    case keep
    case remove
    /// Changes inside of the value.
    case edit([ByteEdit])
}

/// Edits the members of one JSON object and adds members at its end.
enum ObjectEdit {
    /// The edits that `decide` asks for, member by member.
    ///
    /// It is given decoded keys.
    static func edits(
        of object: ArraySlice<UInt8>,
        adding additions: [(key: String, value: ArraySlice<UInt8>)] = [],
        _ decide: (_ key: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) -> MemberEdit
    ) -> [ByteEdit] {
        var removal = ItemRemoval()
        var edits: [ByteEdit] = []
        for member in JSONMembers(of: object) {
            switch decide(JSONText.decode(object[member.key]), object[member.value]) {
            case .keep: removal.keep(member.whole)
            case .remove: removal.remove(member.whole)
            case .edit(let inner):
                removal.keep(member.whole)
                edits += inner
            }
        }
        removal.finish()
        edits += removal.edits
        edits.sort { $0.range.lowerBound < $1.range.lowerBound }
        if !additions.isEmpty, let end = object.lastIndex(of: UInt8(ascii: "}")) {
            var text: [UInt8] = []
            for (key, value) in additions {
                if removal.keptCount > 0 || !text.isEmpty { text.append(UInt8(ascii: ",")) }
                text += JSONText.encode(key) + [UInt8(ascii: ":")] + value
            }
            edits.append(ByteEdit(end..<end, text[...]))
        }
        return edits
    }

    /// The object after the edits that `decide` asks for.
    static func apply(
        to object: ArraySlice<UInt8>,
        adding additions: [(key: String, value: ArraySlice<UInt8>)] = [],
        _ decide: (_ key: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) -> MemberEdit
    ) -> ArraySlice<UInt8> {
        ByteEdit.apply(edits(of: object, adding: additions, decide), to: object)
    }
}
