import Contract
import Crypto
package import Events
import Kernel

/// An event of the audit log as a table keeps it: with its link, so that the chain can be checked there too.
package struct AuditItem: Sendable, Equatable {
    /// What was too long for an item, and is not there as a whole.
    package enum Part: String, Sendable, CaseIterable {
        case subject, details
    }

    package let event: AuditEvent
    /// Of the event before it in the chain; zeros for the first.
    package let previousHash: [UInt8]
    /// Of the event as it was, whatever was cut.
    package let hash: [UInt8]
    /// Empty for almost every event.
    package let cut: [Part]

    /// An event of the database, cut to what an item can hold.
    package init(_ record: AuditRecord, after previousHash: [UInt8]) {
        self.previousHash = previousHash
        hash = record.hash
        var event = record.event
        var cut: [Part] = []
        let size = Self.size(of: Self.attributes(event, previousHash, record.hash, []))
        if size > Self.largest {
            let subject = Self.prefix(of: event.subject, within: Self.longestSubject)
            if subject != event.subject { cut.append(.subject) }
            event.subject = subject
            let details = event.details
            event.details = []
            let bare = Self.size(of: Self.attributes(event, previousHash, record.hash, Part.allCases))
            event.details = Self.prefix(of: details, within: Self.largest - bare - "details".utf8.count)
            if event.details != details { cut.append(.details) }
        }
        self.event = event
        self.cut = cut
    }

    /// Whether the hash is that of this event behind that link; what was cut cannot be hashed again, and fits.
    package var fits: Bool {
        !cut.isEmpty || SHA256.hash(event.encoded(after: previousHash)).bytes == hash
    }

    // MARK: - Size

    /// The service takes 400 KB with the names of attributes; some that speak like it stop a little earlier.
    static let largest = 400_000
    private static let longestSubject = 64 << 10

    static func size(of attributes: [(name: String, value: String)]) -> Int {
        attributes.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
    }

    var size: Int { Self.size(of: attributes) }

    /// The longest beginning whose JSON has at most so many bytes, without quotes.
    private static func prefix(of text: String, within bytes: Int) -> String {
        var (result, left) = ("", bytes)
        for scalar in text.unicodeScalars {
            left -= json(of: scalar)
            guard left >= 0 else { return result }
            result.unicodeScalars.append(scalar)
        }
        return result
    }

    /// The first details whose JSON has at most so many bytes; the last one of them may be shorter than it was.
    private static func prefix(of details: [AuditEvent.Detail], within bytes: Int) -> [AuditEvent.Detail] {
        // What a pair has beside its texts: `["",""],`.
        let frame = 8
        var result: [AuditEvent.Detail] = []
        var left = bytes - 2
        for detail in details {
            let name = prefix(of: detail.name, within: left - frame)
            guard left > frame, name == detail.name else { break }
            let rest = left - frame - json(of: name)
            let value = prefix(of: detail.value, within: rest)
            result.append(AuditEvent.Detail(name, value))
            guard value == detail.value else { break }
            left = rest - json(of: value)
        }
        return result
    }

    /// How long a text may be as JSON, without quotes.
    private static func json(of text: String) -> Int {
        text.unicodeScalars.reduce(0) { $0 + json(of: $1) }
    }

    private static func json(of scalar: Unicode.Scalar) -> Int {
        switch scalar {
        case "\"", "\\", "\n", "\r", "\t", "\u{8}", "\u{C}": 2
        case "\u{0}"..."\u{1F}": 6
        default: UTF8.width(scalar)
        }
    }
}

// MARK: - Keys

extension AuditItem {
    /// The range key: the time in a width that never changes and the id, so that it sorts by time and is unique.
    static func key(_ time: Timestamp, _ id: AuditEventID) -> String { "\(text(of: time))#\(id)" }

    var key: String { Self.key(event.at, event.id) }

    /// `2026-11-25T13:10:18.000250Z`: RFC 3339 with six digits behind the point, always.
    static func text(of time: Timestamp) -> String {
        let text = time.rfc3339
        let fraction = text.dropFirst(20).dropLast()
        return "\(text.prefix(19)).\(fraction)\(String(repeating: "0", count: max(0, 6 - fraction.count)))Z"
    }

    /// What a range key holds; nil for what is none.
    static func parse(key: String) -> (time: Timestamp, id: AuditEventID)? {
        let parts = key.split(separator: "#", omittingEmptySubsequences: false)
        guard parts.count == 2, let time = Timestamp(rfc3339: String(parts[0])),
            let id = AuditEventID(String(parts[1])),
            key == Self.key(time, id)
        else { return nil }
        return (time, id)
    }

    /// The hash key of the index.
    static func userKey(_ scope: AuditEvent.Scope, _ user: UserID) -> String { "\(scope.key)#\(user)" }
}

// MARK: - Attributes

extension AuditItem {
    /// Everything in strings; what has no value has no attribute, since a key of an index may not be empty.
    var attributes: [(name: String, value: String)] {
        Self.attributes(event, previousHash, hash, cut)
    }

    private static func attributes(
        _ event: AuditEvent,
        _ previousHash: [UInt8],
        _ hash: [UInt8],
        _ cut: [Part]
    ) -> [(name: String, value: String)] {
        let actor = event.actor
        let all: [(name: String, value: String?)] = [
            (DynamoTableShape.hashKey, event.scope.key),
            (DynamoTableShape.rangeKey, key(event.at, event.id)),
            (DynamoTableShape.indexHashKey, actor.userID.map { userKey(event.scope, $0) }),
            ("sequence", "\(event.sequence)"),
            ("action", event.action.slug),
            ("actor_kind", actor.kind.rawValue),
            ("actor_login", actor.login),
            ("user_id", actor.userID?.description),
            ("token_id", actor.tokenID?.description),
            ("source_address", actor.sourceAddress),
            ("subject", event.subject),
            ("details", event.details.isEmpty ? nil : json(event.details)),
            ("cut", cut.isEmpty ? nil : cut.map(\.rawValue).joined(separator: " ")),
            ("previous_hash", Hex.encode(previousHash)),
            ("hash", Hex.encode(hash)),
        ]
        return all.compactMap { attribute in
            guard let value = attribute.value, !value.isEmpty else { return nil }
            return (attribute.name, value)
        }
    }

    /// A list of pairs: their order counts, and a name may come twice.
    private static func json(_ details: [AuditEvent.Detail]) -> String {
        var json = JSONWriter()
        json.beginArray()
        for detail in details {
            json.beginArray()
            json.string(detail.name)
            json.string(detail.value)
            json.endArray()
        }
        json.endArray()
        return String(decoding: json.bytes, as: UTF8.self)
    }

    private static func details(_ text: String) -> [AuditEvent.Detail]? {
        guard case .array(let pairs)? = try? JSONValue.parse(Array(text.utf8)) else { return nil }
        let details = pairs.compactMap { pair -> AuditEvent.Detail? in
            guard case .array(let parts) = pair, parts.count == 2, case .string(let name) = parts[0],
                case .string(let value) = parts[1]
            else { return nil }
            return AuditEvent.Detail(name, value)
        }
        return details.count == pairs.count ? details : nil
    }

    /// An item of a table; nil for one that this server did not write.
    init?(_ item: JSONObject) {
        func text(_ name: String) -> String? { item.object(name)?.text("S") }
        func id<Entity>(_ name: String) -> ID<Entity>? { text(name).flatMap { ID<Entity>($0) } }
        guard let scope = text(DynamoTableShape.hashKey).flatMap({ AuditEvent.Scope(key: $0) }),
            let key = text(DynamoTableShape.rangeKey).flatMap({ Self.parse(key: $0) }),
            let sequence = text("sequence").flatMap({ Int64($0) }), let action = text("action"),
            let kind = text("actor_kind").flatMap({ Actor.Kind(rawValue: $0) }),
            let details = Self.details(text("details") ?? "[]"),
            let previousHash = text("previous_hash").flatMap({ Hex.decode($0) }), previousHash.count == 32,
            let hash = text("hash").flatMap({ Hex.decode($0) }), hash.count == 32
        else { return nil }
        // Who cannot be found by the index is as good as hidden.
        let user: UserID? = id("user_id")
        guard text(DynamoTableShape.indexHashKey) == user.map({ Self.userKey(scope, $0) }) else { return nil }
        let cut = (text("cut") ?? "").split(separator: " ").map { Part(rawValue: String($0)) }
        event = AuditEvent(
            id: key.id,
            scope: scope,
            sequence: sequence,
            action: AuditAction(action),
            actor: Actor(
                kind: kind,
                userID: user,
                login: text("actor_login") ?? "",
                tokenID: id("token_id"),
                sourceAddress: text("source_address")
            ),
            subject: text("subject") ?? "",
            details: details,
            at: key.time
        )
        self.previousHash = previousHash
        self.hash = hash
        self.cut = cut.compactMap { $0 }
    }
}
