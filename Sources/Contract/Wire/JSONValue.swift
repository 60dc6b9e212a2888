import Synchronization

/// A JSON value, read or made.
///
/// Numbers keep their text, so that no digit is lost. A string holds Unicode text; an escape of half a surrogate pair,
/// which JSON allows and Unicode does not, reads as U+FFFD (as in Go, which wrote most of the clients). Where such text
/// has to survive, the field is `RawJSON`, which keeps the bytes of the request.
package enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    /// Reads one JSON text (RFC 8259), strictly.
    ///
    /// Nothing but white space may follow the value. UTF-8 is checked, and an object that has one name twice is refused,
    /// because two readers of it could disagree.
    package static func parse(_ bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(JSONError) -> JSONValue {
        var parser = JSONParser(bytes, limits: limits)
        return try parser.parseText()
    }

    /// The kind of the value as a phrase for messages.
    package var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "a list"
        case .object: "an object"
        }
    }

    package var isNull: Bool {
        if case .null = self { true } else { false }
    }
}

/// The members of a JSON object in the order they came.
///
/// Finding a member takes constant time: small objects are searched, larger ones have an index. An object also notes which
/// members a model asked for, so that `JSONValue.unknownField` can tell what no model knows.
package struct JSONObject: Sendable {
    package struct Member: Sendable {
        package let name: String
        package let value: JSONValue
        /// Where the value stands in the text it was read from.
        let place: Place
    }

    /// A part of the source text, in bytes.
    struct Place: Sendable {
        let start: UInt32
        let end: UInt32

        static let none = Place(start: 0, end: 0)
    }

    private final class Storage: Sendable {
        let members: [Member]
        let index: [String: Int]?
        let source: [UInt8]
        let place: Place
        /// A bit for each member that was asked for, and `isRead`; see `unknownMember`.
        let asked = Atomic<UInt64>(0)

        init(members: [Member], index: [String: Int]?, source: [UInt8], place: Place) {
            self.members = members
            self.index = index
            self.source = source
            self.place = place
        }
    }

    /// Objects of more members than this have an index.
    static let unindexed = 12

    private let storage: Storage?

    /// An object as it was read.
    init(members: [Member], index: [String: Int]?, source: [UInt8], place: Place) {
        storage = members.isEmpty ? nil : Storage(members: members, index: index, source: source, place: place)
    }

    /// An object made here; a name that comes twice keeps its first place and its last value.
    package init(_ pairs: [(String, JSONValue)]) {
        var index: [String: Int] = [:]
        var members: [Member] = []
        members.reserveCapacity(pairs.count)
        for (name, value) in pairs {
            let member = Member(name: name, value: value, place: .none)
            if let known = index[name] {
                members[known] = member
            } else {
                index[name] = members.count
                members.append(member)
            }
        }
        self.init(members: members, index: index, source: [], place: .none)
    }

    package var members: [Member] {
        storage?.members ?? []
    }

    package var count: Int {
        storage?.members.count ?? 0
    }

    package subscript(name: String) -> JSONValue? {
        member(name)?.value
    }

    /// The value of a member as it stands in the text the object was read from.
    func raw(_ name: String) -> RawJSON? {
        member(name).map(raw)
    }

    /// The value of one of this object's members as it stands in the text the object was read from.
    func raw(_ member: Member) -> RawJSON {
        guard let storage, member.place.end > 0 else { return RawJSON(member.value) }
        return RawJSON(unchecked: Array(storage.source[Int(member.place.start)..<Int(member.place.end)]))
    }

    /// The object as it stands in the text it was read from; nil when it was made here.
    var verbatim: RawJSON? {
        guard let storage else { return RawJSON(unchecked: Array("{}".utf8)) }
        guard storage.place.end > 0 else { return nil }
        return RawJSON(unchecked: Array(storage.source[Int(storage.place.start)..<Int(storage.place.end)]))
    }

    private func member(_ name: String) -> Member? {
        position(name).flatMap { storage?.members[$0] }
    }

    private func position(_ name: String) -> Int? {
        guard let storage else { return nil }
        if let index = storage.index { return index[name] }
        return storage.members.firstIndex { $0.name == name }
    }
}

// MARK: - What was asked for

extension JSONObject {
    /// The bit of an object whose members a model read; without it, the object is free-form.
    private static let isRead: UInt64 = 1 << 63

    /// The most fields that a model may have, one for each of the other bits; the generator keeps to it.
    package static let mostFields = 62

    /// The value of a member, which counts as known from now on.
    func ask(_ name: String) -> JSONValue? {
        guard let storage, let position = position(name) else { return nil }
        if position <= Self.mostFields { mark(1 << UInt64(position)) }
        return storage.members[position].value
    }

    /// Notes whether a model reads the members of this object by name.
    func setRead(_ isRead: Bool) {
        if isRead {
            mark(Self.isRead)
        } else {
            storage?.asked.bitwiseAnd(~Self.isRead, ordering: .relaxed)
        }
    }

    private func mark(_ bit: UInt64) {
        guard let storage, storage.asked.load(ordering: .relaxed) & bit == 0 else { return }
        storage.asked.bitwiseOr(bit, ordering: .relaxed)
    }

    /// The first member that no model asked for, when one read this object; nil when there is none.
    ///
    /// Looking at the first 63 is enough: of more than a model has fields, one is none of them.
    var unknownMember: Member? {
        guard let storage else { return nil }
        let asked = storage.asked.load(ordering: .relaxed)
        guard asked & Self.isRead != 0 else { return nil }
        let position = (~asked).trailingZeroBitCount
        return position <= Self.mostFields && position < storage.members.count ? storage.members[position] : nil
    }
}

extension JSONValue {
    /// The place of the first field that the model which was decoded from this value does not have.
    ///
    /// Nil when there is none. Free-form JSON and the keys of maps are not fields.
    package func unknownField(at path: FieldPath = .root) -> FieldPath? {
        switch self {
        case .object(let object):
            if let member = object.unknownMember { return .field(member.name, in: path) }
            for member in object.members where member.value.hasParts {
                if let found = member.value.unknownField(at: .field(member.name, in: path)) { return found }
            }
        case .array(let elements):
            for (index, element) in elements.enumerated() where element.hasParts {
                if let found = element.unknownField(at: .index(index, in: path)) { return found }
            }
        case .null, .bool, .number, .string: break
        }
        return nil
    }

    private var hasParts: Bool {
        switch self {
        case .object, .array: true
        case .null, .bool, .number, .string: false
        }
    }
}

extension JSONObject: Equatable {
    /// Objects are equal when they have the same members, in whatever order.
    package static func == (left: JSONObject, right: JSONObject) -> Bool {
        guard left.count == right.count else { return false }
        for member in left.members where right[member.name] != member.value {
            return false
        }
        return true
    }
}
