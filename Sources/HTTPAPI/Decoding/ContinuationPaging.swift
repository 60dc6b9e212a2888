import Contract
package import Kernel

/// Pages that follow each other by an opaque token, the most common style of the contract (`spec/rest-wider.md` §1.4).
///
/// A token is the key of the last item with a hash of the operation and its filter, in letters that survive clients
/// which put it into a URL without escaping (`spec/cli-protocol.md` §1.1-3).
package struct ContinuationPaging: Sendable {
    private let operation: String
    private let standard: Int
    private let largest: Int

    /// - Parameters:
    ///   - operation: what keeps the tokens of one list from another.
    ///   - standard: how many items a page has when the client does not say.
    ///   - largest: how many it has at the most; asking for more gives this.
    package init(operation: String, standard: Int, largest: Int) {
        self.operation = operation
        self.standard = standard
        self.largest = largest
    }

    /// The number of items for what the client asks: nil and 0 are not set, because one client sends 0 for that.
    package func limit(_ asked: Int?, field: String = "maxResults") throws(ServiceError) -> Int {
        guard let asked, asked != 0 else { return standard }
        guard asked > 0 else { throw .invalid(field, "is a number above 0") }
        return min(asked, largest)
    }

    /// The key in a client's token; nil without a token.
    ///
    /// - Parameter read: makes the key of its values; nil for values that are none.
    /// - Throws: `.invalidArgument` for a token that is damaged or belongs to another list or filter.
    package func after<Cursor>(
        _ token: String?,
        filter: [String],
        _ read: ([String]) -> Cursor?
    ) throws(ServiceError) -> Cursor? {
        guard let token, !token.isEmpty else { return nil }
        guard let bytes = Base64URL.decode(token), let value = try? JSONValue.parse(bytes),
            case .array(let elements) = value
        else { throw Self.badToken }
        let texts = elements.compactMap { if case .string(let text) = $0 { text } else { String?.none } }
        guard texts.count == elements.count, texts.first == mark(filter), let cursor = read(Array(texts.dropFirst()))
        else { throw Self.badToken }
        return cursor
    }

    /// The token that continues after the page; nil after the last one: an empty text would be asked for again.
    package func token<Item>(_ page: Page<Item>, filter: [String], _ key: (Item) -> [String]) -> String? {
        guard page.hasMore, let last = page.items.last else { return nil }
        var json = JSONWriter(reserving: 96)
        json.beginArray()
        for text in [mark(filter)] + key(last) { json.string(text) }
        json.endArray()
        return Base64URL.encode(json.bytes)
    }

    /// Identifies list and filter.
    ///
    /// It finds mistakes, not attackers: what a token shows is decided by the query anyway.
    private func mark(_ filter: [String]) -> String {
        let text = ([operation] + filter).joined(separator: "\u{0}")
        return String(FNV.hash(text.utf8), radix: 36)
    }

    private static let badToken = ServiceError.invalid("continuationToken", "is none that this list gave out")
}

/// Base64 in the alphabet of URLs, without padding (RFC 4648 §5).
enum Base64URL {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count * 4 / 3 + 3)
        var index = 0
        while index < bytes.count {
            let chunk = bytes[index..<min(index + 3, bytes.count)]
            let bits = chunk.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - chunk.count))
            for position in 0...chunk.count { text.append(alphabet[Int(bits >> UInt32(18 - 6 * position) & 63)]) }
            index += 3
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Nil for anything that `encode` does not make.
    static func decode(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for letter in text.utf8 {
            guard let value = alphabet.firstIndex(of: letter) else { return nil }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        guard count < 6, bits & ((1 << UInt32(count)) - 1) == 0 else { return nil }
        return bytes
    }
}
