#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What the oracle looks at of a resource: its name, and the mark in its outputs.
struct Item: Equatable, Sendable {
    var name: String
    var mark: Int
}

/// A state that a client has sent, or that follows from what it has sent.
///
/// SAFETY: `@unchecked` because `exact` is learned; only the thread that runs the seed uses it.
final class Content: @unchecked Sendable {
    /// The text to the byte: as it was sent, or as it was first given out for a fold.
    var exact: [UInt8]?
    let items: [Item]

    init(exact: [UInt8]?, items: [Item]) {
        self.exact = exact
        self.items = items
    }

    static func never() -> Content {
        let text =
            #"{"version":3,"deployment":{"manifest":{"time":"0001-01-01T00:00:00Z","magic":"","version":""},"metadata":{}}}"#
        return Content(exact: Array(text.utf8), items: [])
    }

    func matches(_ text: [UInt8], _ found: [Item]) -> Bool {
        if let exact { return exact == text }
        return items == found
    }
}

/// Texts of states.
enum Document {
    static func resource(_ item: Item, of stack: String, pad: Int) -> String {
        """
        {"urn":"urn:pulumi:\(stack)::site::t:m:R::\(item.name)","custom":false,"type":"t:m:R",\
        "outputs":{"v":\(item.mark),"pad":"\(String(repeating: "x", count: pad))"}}
        """
    }

    /// The value of `deployment`.
    static func deployment(_ items: [Item], of stack: String, pad: Int) -> String {
        let resources = items.map { resource($0, of: stack, pad: pad) }.joined(separator: ",")
        return """
            {"manifest":{"time":"2030-01-01T00:00:00Z","magic":"","version":""},"resources":[\(resources)]}
            """
    }

    static func text(_ items: [Item], of stack: String, pad: Int) -> [UInt8] {
        Array(#"{"version":3,"deployment":\#(deployment(items, of: stack, pad: pad))}"#.utf8)
    }

    /// The resources of a text, in its order.
    static func items(of text: [UInt8]) -> [Item] {
        text.withUnsafeBytes { bytes in
            var items: [Item] = []
            var position = 0
            while let urn = find(#""urn":""#, in: bytes, from: position) {
                guard let end = find("\"", in: bytes, from: urn).map({ $0 - 1 }) else { break }
                var start = end
                while start > urn, bytes[start - 1] != UInt8(ascii: ":") { start -= 1 }
                guard var digit = find(#""v":"#, in: bytes, from: end) else { break }
                var mark = 0
                while digit < bytes.count, (48...57).contains(bytes[digit]) {
                    mark = mark * 10 + Int(bytes[digit] - 48)
                    digit += 1
                }
                items.append(Item(name: String(decoding: bytes[start..<end], as: UTF8.self), mark: mark))
                position = digit
            }
            return items
        }
    }

    /// The offset behind the next occurrence.
    private static func find(_ word: StaticString, in bytes: UnsafeRawBufferPointer, from: Int) -> Int? {
        guard let base = bytes.baseAddress else { return nil }
        let count = word.utf8CodeUnitCount
        var position = from
        while position + count <= bytes.count {
            guard let next = memchr(base + position, Int32(word.utf8Start[0]), bytes.count - position - count + 1)
            else {
                return nil
            }
            position = UnsafeRawPointer(next) - base
            if memcmp(base + position, word.utf8Start, count) == 0 { return position + count }
            position += 1
        }
        return nil
    }
}

/// One entry of a journal, as the client knows it and as it is sent.
struct JournalStep: Sendable {
    enum Kind: Int, Sendable {
        case begin = 0, success = 1, outputs = 4
    }

    var kind: Kind
    var sequence: Int64
    var operation: Int64
    var item: Item?
    var removeOld: Int?
    var removeNew: Int64?
    var text: String

    init(
        _ kind: Kind,
        _ sequence: Int64,
        operation: Int64,
        item: Item? = nil,
        removeOld: Int? = nil,
        removeNew: Int64? = nil,
        of stack: String,
        pad: Int = 0
    ) {
        self.kind = kind
        self.sequence = sequence
        self.operation = operation
        self.item = item
        self.removeOld = removeOld
        self.removeNew = removeNew
        let state = item.map { #","state":\#(Document.resource($0, of: stack, pad: pad))"# } ?? ""
        let old = removeOld.map { String($0) } ?? "null"
        let new = removeNew.map { String($0) } ?? "null"
        text = """
            {"version":1,"kind":\(kind.rawValue),"sequenceID":\(sequence),"operationID":\(operation),\
            "removeOld":\(old),"removeNew":\(new)\(state)}
            """
    }

    /// What a journal makes of a state: new resources in the order they came, then what is left of the old ones.
    static func fold(_ steps: [JournalStep], over base: [Item]) -> [Item] {
        var old: [Item?] = base
        var new: [(operation: Int64, item: Item?)] = []
        for step in steps.sorted(by: { $0.sequence < $1.sequence }) {
            let place = step.removeNew.flatMap { number in new.firstIndex { $0.operation == number } }
            switch step.kind {
            case .begin:
                break
            case .success:
                if let item = step.item { new.append((step.operation, item)) }
                if let index = step.removeOld, old.indices.contains(index) { old[index] = nil }
                if let place { new[place].item = nil }
            case .outputs:
                if let index = step.removeOld, old.indices.contains(index), old[index] != nil { old[index] = step.item }
                if let place, new[place].item != nil { new[place].item = step.item }
            }
        }
        return new.compactMap(\.item) + old.compactMap { $0 }
    }
}
