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

    /// The keys with their names, by the length of the name.
    private static let byLength: [[(name: ArraySlice<UInt8>, key: ResourceKey)]] = {
        var table = [[(name: ArraySlice<UInt8>, key: ResourceKey)]](repeating: [], count: 24)
        for key in allCases { table[key.name.utf8.count].append((ArraySlice(Array(key.name.utf8)), key)) }
        return table
    }()

    /// The key of that name, decoded.
    static func find(_ name: ArraySlice<UInt8>) -> ResourceKey? {
        guard name.count < byLength.count else { return nil }
        for entry in byLength[name.count] where entry.name == name { return entry.key }
        return nil
    }
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
    }

    /// A range relative to the text's beginning, in half the space; empty when the member is absent.
    private struct Place: Sendable {
        var start: UInt32 = 0
        var count: UInt32 = 0
    }

    package private(set) var bytes: ArraySlice<UInt8>
    private var places = InlineArray<12, Place>(repeating: Place())
    private(set) var flags: Flags = []
    /// Position in the stored base that the resource comes from, as long as its text is that of the base.
    var origin: Int?

    /// Reads the text of one JSON object that a `Cutter` has checked; nil for any other value.
    package init?(_ bytes: ArraySlice<UInt8>, origin: Int? = nil) {
        guard bytes.first == UInt8(ascii: "{"), bytes.count < UInt32.max else { return nil }
        self.bytes = bytes
        self.origin = origin
        for member in JSONMembers(of: bytes) { note(member) }
    }

    /// Reads the object that a text begins with, which a `Cutter` has checked; nil for any other value.
    init?(beginning text: ArraySlice<UInt8>) {
        guard text.first == UInt8(ascii: "{"), text.count < UInt32.max else { return nil }
        bytes = text
        var members = JSONMembers(of: text)
        while let member = members.next() { note(member) }
        guard let end = members.end else { return nil }
        bytes = text[..<end]
    }

    private mutating func note(_ member: JSONMember) {
        guard let key = ResourceKey.find(JSONText.decode(bytes[member.key])) else { return }
        note(key, member.value)
    }

    /// The last of several members with one key counts, as it does for the CLI.
    private mutating func note(_ key: ResourceKey, _ range: Range<Int>) {
        let value = bytes[range]
        let isNull = value.first == UInt8(ascii: "n")
        guard key.rawValue >= ResourceKey.rangeCount else {
            let start = UInt32(range.lowerBound - bytes.startIndex)
            places[key.rawValue] = isNull ? Place() : Place(start: start, count: UInt32(range.count))
            return
        }
        let isTrue = value.first == UInt8(ascii: "t")
        switch key {
        case .custom: set(.custom, isTrue)
        case .delete: set(.delete, isTrue)
        case .pendingReplacement: set(.pendingReplacement, isTrue)
        case .taint: set(.taint, isTrue)
        case .refreshBeforeUpdate: set(.refreshBeforeUpdate, isTrue)
        case .resourceHooks: set(.resourceHooks, JSONScalar.isFilled(value))
        case .snippetID: set(.snippetID, value.count > 2 && !isNull)
        default: break
        }
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
        guard let value = value(key), let text = JSONScalar.string(value), !text.isEmpty else { return nil }
        return text
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
