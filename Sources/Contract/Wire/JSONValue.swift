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
/// Finding a member takes constant time: small objects are searched, larger ones have an index.
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
        guard let storage else { return nil }
        if let index = storage.index {
            return index[name].map { storage.members[$0] }
        }
        for member in storage.members where member.name == name {
            return member
        }
        return nil
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
