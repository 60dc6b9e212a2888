import JSONScan

/// A member of a resource that the service reads (`spec/cli-protocol.md` §8.3, §8.5).
///
/// All others stay opaque.
enum ResourceKey: Int, CaseIterable {
    // Those up to here have their range kept.
    case urn, id, type, parent, provider, dependencies, propertyDependencies, deletedWith, replaceWith, viewOf, aliases
    case extensionRef
    // Of these only a flag is kept.
    case custom, delete, pendingReplacement, taint, refreshBeforeUpdate, resourceHooks, snippetID

    static let rangeCount = 12

    var name: String { String(describing: self) }

    /// Its own in a set of keys whose range is kept.
    fileprivate var bit: UInt16 { 1 << UInt16(rawValue) }

    private static let table = KeyTable(allCases.map { ($0.name, $0) })

    /// The key of that name, decoded.
    static func find(_ name: ArraySlice<UInt8>) -> ResourceKey? { find(name.span) }

    /// The key of that name, decoded.
    static func find(_ name: Span<UInt8>) -> ResourceKey? { table.find(name) }
}

/// One resource of a state: its JSON text, never changed in place, and where in it the members stand that we read.
package struct StateResource: Sendable {
    struct Flags: OptionSet, Sendable {
        let rawValue: UInt16

        static let custom = Flags(rawValue: 1 << 0)
        static let delete = Flags(rawValue: 1 << 1)
        static let pendingReplacement = Flags(rawValue: 1 << 2)
        static let taint = Flags(rawValue: 1 << 3)
        static let refreshBeforeUpdate = Flags(rawValue: 1 << 4)
        static let resourceHooks = Flags(rawValue: 1 << 5)
        static let snippetID = Flags(rawValue: 1 << 6)
        /// The type is that of a provider.
        static let provider = Flags(rawValue: 1 << 7)
    }

    /// A range relative to the text's beginning, in half the space; empty when the member is absent.
    private struct Place: Sendable {
        var start: UInt32 = 0
        var count: UInt32 = 0

        init(_ start: UInt32 = 0, _ count: UInt32 = 0) {
            self.start = start
            self.count = count
        }
    }

    package private(set) var bytes: ArraySlice<UInt8>
    private var places = InlineArray<12, Place>(repeating: Place())
    /// Of which keys the value is a string without escapes, so that its text just stands there; a bit for each.
    private var plainTexts: UInt16 = 0
    private(set) var flags: Flags = []
    /// Of the URN's text, when that is plain: made where it has just been read.
    private var urnHash = 0
    /// Position in the stored base that the resource comes from, as long as its text is that of the base.
    var origin: Int?

    /// Reads the text of one JSON object that a `Cutter` has checked; nil for any other value.
    package init?(_ bytes: ArraySlice<UInt8>, origin: Int? = nil) {
        guard bytes.first == UInt8(ascii: "{"), bytes.count < UInt32.max else { return nil }
        self.bytes = bytes
        self.origin = origin
        _ = noteMembers()
    }

    /// Reads the object that a text begins with, which a `Cutter` has checked; nil for any other value.
    init?(beginning text: ArraySlice<UInt8>) {
        guard text.first == UInt8(ascii: "{"), text.count < UInt32.max else { return nil }
        bytes = text
        guard let count = noteMembers() else { return nil }
        bytes = text.prefix(count)
    }

    /// Notes the members of the object that `bytes` begins with.
    ///
    /// - Returns: how many bytes it has; nil where its end is missing.
    private mutating func noteMembers() -> Int? {
        let text = bytes
        let span = text.span
        var walk = JSONMemberWalk(of: span)
        while let member = walk.next(span) {
            let name = span.extracting(member.key)
            let isPlain = !JSONText.hasEscapes(name)
            let key = isPlain ? ResourceKey.find(name) : ResourceKey.find(JSONText.decode(slice(member.key)))
            if let key { note(key, member.value, of: span.extracting(member.value)) }
        }
        return walk.end
    }

    /// A range that counts from the text's beginning.
    private func slice(_ range: Range<Int>) -> ArraySlice<UInt8> {
        bytes[(bytes.startIndex + range.lowerBound)..<(bytes.startIndex + range.upperBound)]
    }

    /// The last of several members with one key counts, as it does for the CLI.
    private mutating func note(_ key: ResourceKey, _ range: Range<Int>, of value: Span<UInt8>) {
        let isNull = value[0] == UInt8(ascii: "n")
        guard key.rawValue >= ResourceKey.rangeCount else {
            let quote = UInt8(ascii: "\"")
            let isText = value.count >= 2 && value[0] == quote && value[value.count - 1] == quote
            let isPlain = isText && !JSONText.hasEscapes(value.extracting(1..<(value.count - 1)))
            places[key.rawValue] = isNull ? Place() : Place(UInt32(range.lowerBound), UInt32(range.count))
            plainTexts = isPlain ? plainTexts | key.bit : plainTexts & ~key.bit
            if key == .urn, isPlain { urnHash = TextKey.hash(of: value.extracting(1..<(value.count - 1))) }
            if key == .type { set(.provider, isProviderType(value, isPlain)) }
            return
        }
        let isTrue = value[0] == UInt8(ascii: "t")
        switch key {
        case .custom: set(.custom, isTrue)
        case .delete: set(.delete, isTrue)
        case .pendingReplacement: set(.pendingReplacement, isTrue)
        case .taint: set(.taint, isTrue)
        case .refreshBeforeUpdate: set(.refreshBeforeUpdate, isTrue)
        case .resourceHooks: set(.resourceHooks, JSONScalar.isFilled(slice(range)))
        case .snippetID: set(.snippetID, value.count > 2 && !isNull)
        default: break
        }
    }

    /// Looked at here, where the text has just been read: later it would have to come from memory once more.
    private func isProviderType(_ value: Span<UInt8>, _ isPlain: Bool) -> Bool {
        guard isPlain else { return text(.type)?.starts(with: URN.providerType) ?? false }
        let prefix = URN.providerType
        guard value.count > prefix.count else { return false }
        for index in prefix.indices where value[index + 1] != prefix[index] { return false }
        return true
    }

    private mutating func set(_ flag: Flags, _ isOn: Bool) {
        if isOn { flags.insert(flag) } else { flags.remove(flag) }
    }

    /// The raw value of a member whose range is kept; null counts as absent.
    func value(_ key: ResourceKey) -> ArraySlice<UInt8>? {
        let place = places[key.rawValue]
        guard place.count > 0 else { return nil }
        let start = bytes.startIndex + Int(place.start)
        return bytes[start..<(start + Int(place.count))]
    }

    /// The decoded text of a member, nil when it is absent, empty or no string.
    func text(_ key: ResourceKey) -> ArraySlice<UInt8>? {
        if plainTexts & key.bit != 0 {
            let place = places[key.rawValue]
            let start = bytes.startIndex + Int(place.start) + 1
            return place.count > 2 ? bytes[start..<(start + Int(place.count) - 2)] : nil
        }
        guard let value = value(key), let text = JSONScalar.string(value), !text.isEmpty else { return nil }
        return text
    }

    /// The URN as a key; nil where there is none.
    var urnKey: TextKey? {
        guard let text = text(.urn) else { return nil }
        return plainTexts & ResourceKey.urn.bit != 0 ? TextKey(text, hash: urnHash) : TextKey(text)
    }

    package var urn: String? { text(.urn)?.asText }
    package var type: String? { text(.type)?.asText }

    /// Whether another resource takes its place and this one only waits for its deletion.
    package var isBeingDeleted: Bool { flags.contains(.delete) }

    var isRootStack: Bool { text(.type)?.elementsEqual(URN.rootType) ?? false }
}

/// A way in which one resource names another.
enum Reference: Equatable {
    case parent, provider, dependency, deletedWith, replaceWith, viewOf
    case property(ArraySlice<UInt8>)
}

extension StateResource {
    /// Calls `body` with the decoded text of each reference except `provider`, in a fixed order, until it answers false.
    func forEachReference(_ body: (Reference, TextKey) -> Bool) {
        if let parent = text(.parent), !body(.parent, TextKey(parent)) { return }
        guard each(in: value(.dependencies), { body(.dependency, $0) }) else { return }
        if let map = value(.propertyDependencies) {
            for member in JSONMembers(of: map) {
                guard each(in: map[member.value], { body(.property(map[member.key]), $0) }) else { return }
            }
        }
        if let target = text(.deletedWith), !body(.deletedWith, TextKey(target)) { return }
        _ = each(in: value(.replaceWith), { body(.replaceWith, $0) })
    }

    private func each(in list: ArraySlice<UInt8>?, _ body: (TextKey) -> Bool) -> Bool {
        guard let list else { return true }
        for range in JSONElements(of: list) {
            if let text = JSONScalar.string(list[range]), !body(TextKey(text)) { return false }
        }
        return true
    }
}

/// An operation that was under way: `{"resource":{…},"type":"creating"}`.
package struct PendingOperation: Sendable {
    package let bytes: ArraySlice<UInt8>
    /// The raw resource, an object.
    let resourceBytes: ArraySlice<UInt8>
    package let type: String

    /// The resource; read when asked for, as nearly all operations end and nobody asks.
    package var resource: StateResource? { StateResource(resourceBytes) }

    /// Reads the object that a text begins with, which a `Cutter` has checked; nil when it has another form.
    package init?(_ text: ArraySlice<UInt8>) {
        var resource: ArraySlice<UInt8>?
        var type: ArraySlice<UInt8>?
        var members = JSONMembers(of: text)
        while let member = members.next() {
            let key = JSONText.decode(text[member.key])
            if key.elementsEqual("resource".utf8) {
                resource = text[member.value]
            } else if key.elementsEqual("type".utf8) {
                type = JSONScalar.string(text[member.value])
            }
        }
        guard let end = members.end else { return nil }
        guard let resource, resource.first == UInt8(ascii: "{"), let type else { return nil }
        bytes = text[..<end]
        resourceBytes = resource
        self.type = type.asText
    }
}
