/// One JSON value as text that is not looked into: kept byte for byte as it came, and written so.
///
/// State, and everything the contract calls free-form, must survive exactly: long numbers, the spelling of escapes, half
/// surrogate pairs (`spec/cli-protocol.md` §2.4).
package struct RawJSON: Sendable, Equatable {
    /// The text, without white space around it.
    package let bytes: [UInt8]

    /// Text that is known to be one JSON value, such as what was read back from where we stored it.
    package init(unchecked bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Text from elsewhere, checked.
    package init(checking bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(JSONError) {
        _ = try JSONValue.parse(bytes, limits: limits)
        let start = bytes.firstIndex { !JSONParser.isSpace($0) } ?? 0
        let end = bytes.lastIndex { !JSONParser.isSpace($0) } ?? 0
        self.bytes = start == 0 && end == bytes.count - 1 ? bytes : Array(bytes[start...end])
    }

    /// What a closure writes.
    package init(_ write: (inout JSONWriter) -> Void) throws(JSONWriter.Failure) {
        var json = JSONWriter()
        write(&json)
        bytes = try json.finish()
    }

    /// A value as text.
    ///
    /// An object that was read keeps its text; everything else is written anew.
    package init(_ value: JSONValue) {
        if case .object(let object) = value, let text = object.verbatim {
            self = text
            return
        }
        var json = JSONWriter()
        value.write(to: &json)
        bytes = json.bytes
    }

    package static let null = RawJSON(unchecked: Array("null".utf8))
    package static let emptyObject = RawJSON(unchecked: Array("{}".utf8))

    /// The value, to look into after all.
    package func parsed(limits: JSONLimits = JSONLimits()) throws(JSONError) -> JSONValue {
        try JSONValue.parse(bytes, limits: limits)
    }

    package var text: String {
        String(decoding: bytes, as: UTF8.self)
    }
}
