/// Names and values of a query string or of a form, decoded, in the order they came.
package struct QueryParameters: Sendable {
    package struct Pair: Sendable, Equatable {
        package var name: String
        package var value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    package var pairs: [Pair]

    package init(_ pairs: [Pair] = []) {
        self.pairs = pairs
    }

    /// Reads `application/x-www-form-urlencoded` text: what follows the `?` of a request, or the body of a form.
    ///
    /// - Throws: an error that names the parameter, when an escape is broken or the decoded bytes are not UTF-8.
    package init(parsing text: some Collection<UInt8>) throws(WireError) {
        pairs = []
        for part in text.split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: true) {
            let equals = part.firstIndex(of: UInt8(ascii: "=")) ?? part.endIndex
            let rawName = part[..<equals]
            guard let name = Self.decode(rawName) else {
                throw WireError(String(decoding: rawName, as: UTF8.self), Self.brokenEscape)
            }
            let rawValue = equals == part.endIndex ? part[equals...] : part[part.index(after: equals)...]
            guard let value = Self.decode(rawValue) else { throw WireError(name, Self.brokenEscape) }
            pairs.append(Pair(name: name, value: value))
        }
    }

    private static let brokenEscape = "has a broken percent escape, or is not UTF-8"

    private static func decode(_ raw: some Collection<UInt8>) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(raw.count)
        var iterator = raw.makeIterator()
        while let byte = iterator.next() {
            switch byte {
            case UInt8(ascii: "+"):
                bytes.append(0x20)
            case UInt8(ascii: "%"):
                guard let high = iterator.next().flatMap(JSONParser.hexDigit),
                    let low = iterator.next().flatMap(JSONParser.hexDigit)
                else { return nil }
                bytes.append(high << 4 | low)
            default:
                bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    // MARK: - Reading

    /// The value of a parameter that may come once; an empty value is a value.
    @inline(never)
    package func string(_ name: String) throws(WireError) -> String? {
        var found: String?
        for pair in pairs where pair.name == name {
            guard found == nil else { throw WireError(name, "is given more than once") }
            found = pair.value
        }
        return found
    }

    /// An integer; an empty value counts as absent.
    @inline(never)
    package func integer(_ name: String) throws(WireError) -> Int? {
        guard let text = try string(name), !text.isEmpty else { return nil }
        return try Self.integer(text, name)
    }

    /// A boolean; an empty value counts as absent.
    ///
    /// Takes the spellings Go takes, which clients have been free to use.
    @inline(never)
    package func bool(_ name: String) throws(WireError) -> Bool? {
        guard let text = try string(name), !text.isEmpty else { return nil }
        switch text {
        case "1", "t", "T", "true", "TRUE", "True": return true
        case "0", "f", "F", "false", "FALSE", "False": return false
        default: throw WireError(name, "takes true or false")
        }
    }

    /// A word of a closed list; an empty value counts as absent.
    @_semantics("optimize.sil.specialize.generic.never")
    package func word<Word: WireWord>(_ name: String, as: Word.Type) throws(WireError) -> Word? {
        guard let text = try string(name), !text.isEmpty else { return nil }
        return Word(rawValue: text)
    }

    /// Every value of a parameter that may come several times; nil when it does not come.
    @inline(never)
    package func strings(_ name: String) -> [String]? {
        var values: [String] = []
        for pair in pairs where pair.name == name {
            values.append(pair.value)
        }
        return values.isEmpty ? nil : values
    }

    @inline(never)
    package func integers(_ name: String) throws(WireError) -> [Int]? {
        guard let texts = strings(name) else { return nil }
        var values: [Int] = []
        for text in texts {
            values.append(try Self.integer(text, name))
        }
        return values
    }

    @_semantics("optimize.sil.specialize.generic.never")
    package func words<Word: WireWord>(_ name: String, as: Word.Type) -> [Word]? {
        guard let texts = strings(name) else { return nil }
        var values: [Word] = []
        for text in texts {
            values.append(Word(rawValue: text))
        }
        return values
    }

    /// A parameter that must be there.
    @_semantics("optimize.sil.specialize.generic.never")
    package func required<Value>(_ name: String, _ value: Value?) throws(WireError) -> Value {
        guard let value else { throw WireError(name, nil) }
        return value
    }

    /// Decimal digits with an optional sign in front; `+` would be a space by now.
    private static func integer(_ text: String, _ name: String) throws(WireError) -> Int {
        guard text.utf8.first != UInt8(ascii: "+"), let value = Int(text) else {
            throw WireError(name, "takes an integer")
        }
        return value
    }
}
