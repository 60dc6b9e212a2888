import CBeast

/// The lines of an answer's head, and maybe its body, in the block that goes to the connection.
struct AnswerHead {
    let answer: cb_answer
    let block: OpaquePointer

    /// Checks and writes; nil when the answer cannot be sent as it is.
    ///
    /// - Parameters:
    ///   - length: of the body, −1 when it is not known.
    ///   - body: what follows the head at once.
    ///   - isHead: whether the request was HEAD, so that no body may follow.
    init?(_ response: borrowing HTTPResponse, length: Int64, body: [UInt8] = [], isHead: Bool) {
        guard (200...599).contains(response.status.code) else { return nil }
        let bodyless = response.status.isBodyless
        let omitted = bodyless || isHead
        var fields = FieldLines(omitsEncoding: omitted)
        response.headers.forEachField { fields.measure($0, $1) }
        guard fields.areValid else { return nil }
        let bodyCount = omitted ? 0 : body.count
        let size = fields.size + 2 + bodyCount
        guard let block = cb_block_create(size), let start = cb_block_bytes(block) else { return nil }
        var lines = LineWriter(UnsafeMutableRawBufferPointer(start: start, count: size))
        response.headers.forEachField { name, value in
            guard fields.keeps(name) else { return }
            lines.put(name)
            lines.put(": ")
            lines.put(value)
            lines.put("\r\n")
        }
        lines.put("\r\n")
        if bodyCount > 0 { lines.put(body) }
        self.block = block
        answer = cb_answer(
            status: Int32(response.status.code),
            content_length: length,
            bodyless: bodyless,
            close: fields.asksToClose
        )
    }

    /// Frees an answer that is not handed over.
    func drop() {
        cb_block_destroy(block)
    }
}

/// Decides which header fields of a handler are sent, and adds up their size.
private struct FieldLines {
    let omitsEncoding: Bool
    private(set) var size = 0
    private(set) var areValid = true
    private(set) var asksToClose = false

    init(omitsEncoding: Bool) {
        self.omitsEncoding = omitsEncoding
    }

    mutating func measure(_ name: String, _ value: String) {
        if !Self.isToken(name) || !Self.isValue(value) { areValid = false }
        if keeps(name) {
            size += name.utf8.count + value.utf8.count + 4
        } else if name.utf8.count == 10, Self.same(name, "connection"), Self.same(value, "close") {
            asksToClose = true
        }
    }

    /// False for what is the server's to say.
    ///
    /// By length first: most names end there.
    func keeps(_ name: String) -> Bool {
        switch name.utf8.count {
        case 4: !Self.same(name, "date")
        case 6: !Self.same(name, "server")
        case 7: !Self.same(name, "trailer") && !Self.same(name, "upgrade")
        case 10: !Self.same(name, "connection") && !Self.same(name, "keep-alive")
        case 14: !Self.same(name, "content-length")
        case 16: !omitsEncoding || !Self.same(name, "content-encoding")
        case 17: !Self.same(name, "transfer-encoding")
        default: true
        }
    }

    private static func isToken(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in !bytes.isEmpty && bytes.allSatisfy(\.isTokenCharacter) }
    }

    private static func isValue(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            var isValue = true
            // To the end without a branch, which is many bytes at once.
            for byte in bytes { isValue = byte.isValueCharacter && isValue }
            return isValue
        }
    }

    private static func same(_ name: String, _ lower: StaticString) -> Bool {
        name.utf8.elementsEqual(UnsafeBufferPointer(start: lower.utf8Start, count: lower.utf8CodeUnitCount)) {
            $0.asciiLowercase == $1
        }
    }
}

/// Writes text and bytes one after the other.
private struct LineWriter {
    private let target: UnsafeMutableRawBufferPointer
    private var position = 0

    init(_ target: UnsafeMutableRawBufferPointer) {
        self.target = target
    }

    mutating func put(_ text: String) {
        var text = text
        text.withUTF8 { put(UnsafeRawBufferPointer($0)) }
    }

    mutating func put(_ text: StaticString) {
        put(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func put(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { put($0) }
    }

    private mutating func put(_ bytes: UnsafeRawBufferPointer) {
        UnsafeMutableRawBufferPointer(rebasing: target[position..<position + bytes.count]).copyMemory(from: bytes)
        position += bytes.count
    }
}

extension UInt8 {
    /// A character of a token (RFC 9110 §5.6.2).
    fileprivate var isTokenCharacter: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E...0x60, 0x7C, 0x7E: true
        default: false
        }
    }

    /// A character of a field's value (RFC 9110 §5.5): what could end the line is none.
    fileprivate var isValueCharacter: Bool {
        self >= 0x20 && self != 0x7F || self == 0x09
    }
}
