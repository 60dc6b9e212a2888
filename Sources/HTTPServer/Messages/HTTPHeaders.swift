/// Header fields in the order they were sent or added; names are compared without regard to ASCII case.
///
/// A received list stays in the one block that the parser filled; a name or value becomes a `String` when it is asked
/// for, because most are never looked at. Bytes of a value that are not UTF-8 are shown as U+FFFD.
package struct HTTPHeaders: Sendable, ExpressibleByDictionaryLiteral {
    private enum Storage: Sendable {
        case list([Field])
        case packed(PackedFields)
    }

    fileprivate struct Field: Sendable {
        var name: String
        var value: String
    }

    private var storage: Storage

    package init() {
        storage = .list([])
    }

    package init(dictionaryLiteral elements: (String, String)...) {
        storage = .list(elements.map { Field(name: $0.0, value: $0.1) })
    }

    init(packed: PackedFields) {
        storage = .packed(packed)
    }

    package var count: Int {
        switch storage {
        case .list(let fields): fields.count
        case .packed(let fields): fields.count
        }
    }

    package var isEmpty: Bool { count == 0 }

    /// The first value of that name, without the white space around it.
    package subscript(name: String) -> String? {
        switch storage {
        case .list(let fields): fields.first { Self.same($0.name, name) }?.value
        case .packed(let fields): fields.first(name)
        }
    }

    /// All values of that name, in order.
    package func values(for name: String) -> [String] {
        switch storage {
        case .list(let fields): fields.filter { Self.same($0.name, name) }.map(\.value)
        case .packed(let fields): fields.all(name)
        }
    }

    package func contains(_ name: String) -> Bool {
        self[name] != nil
    }

    /// Adds a field at the end, whether or not the name is there.
    package mutating func append(_ name: String, _ value: String) {
        var fields = unpacked
        storage = .list([])
        fields.append(Field(name: name, value: value))
        storage = .list(fields)
    }

    /// Puts one field in the place of all of that name.
    package mutating func set(_ name: String, _ value: String) {
        if contains(name) { remove(name) }
        append(name, value)
    }

    /// Takes out all fields of that name.
    package mutating func remove(_ name: String) {
        var fields = unpacked
        storage = .list([])
        fields.removeAll { Self.same($0.name, name) }
        storage = .list(fields)
    }

    /// Visits the fields in order, without making a list of them.
    func forEachField(_ body: (String, String) -> Void) {
        switch storage {
        case .list(let fields):
            for field in fields { body(field.name, field.value) }
        case .packed(let fields):
            fields.forEach(body)
        }
    }

    private var unpacked: [Field] {
        switch storage {
        case .list(let fields):
            return fields
        case .packed(let packed):
            var fields: [Field] = []
            fields.reserveCapacity(packed.count + 1)
            packed.forEach { fields.append(Field(name: $0, value: $1)) }
            return fields
        }
    }

    /// Compares two names without regard to ASCII case.
    private static func same(_ left: String, _ right: String) -> Bool {
        left.utf8.count == right.utf8.count
            && left.utf8.elementsEqual(right.utf8) { $0 == $1 || $0.asciiLowercase == $1.asciiLowercase }
    }
}

extension HTTPHeaders: Sequence {
    package typealias Element = (name: String, value: String)

    package struct Iterator: IteratorProtocol {
        private var fields: IndexingIterator<[Field]>

        fileprivate init(_ fields: [Field]) {
            self.fields = fields.makeIterator()
        }

        package mutating func next() -> Element? {
            fields.next().map { ($0.name, $0.value) }
        }
    }

    package func makeIterator() -> Iterator {
        Iterator(unpacked)
    }
}

extension HTTPHeaders: Equatable {
    /// The same values in the same order under names that differ at most in case.
    package static func == (left: Self, right: Self) -> Bool {
        left.elementsEqual(right) { same($0.name, $1.name) && $0.value == $1.value }
    }
}

extension UInt8 {
    /// The lower-case letter for an ASCII capital, anything else unchanged.
    var asciiLowercase: UInt8 {
        self &- 65 < 26 ? self | 0x20 : self
    }
}
