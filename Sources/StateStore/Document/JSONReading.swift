import JSONScan

/// Short readings of raw values.
enum JSONReading {
    /// The value as text, nil when it is no string.
    static func text(_ value: ArraySlice<UInt8>) -> String? {
        JSONScalar.string(value)?.asText
    }

    /// The value of a member of an object, the last one if it occurs twice; null counts as absent.
    static func member(_ key: String, of object: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        var result: ArraySlice<UInt8>?
        for member in JSONMembers(of: object) where JSONText.decode(object[member.key]).elementsEqual(key.utf8) {
            result = JSONScalar.isNull(object[member.value]) ? nil : object[member.value]
        }
        return result
    }

    /// An integer member.
    static func integer(_ key: String, of object: ArraySlice<UInt8>) -> Int64? {
        member(key, of: object).flatMap { JSONScalar.integer($0) }
    }
}
