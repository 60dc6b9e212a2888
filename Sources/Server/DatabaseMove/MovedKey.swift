import Crypto
import Persistence

/// Keys of rows as text: how far a table has been copied is kept in a row of the target.
extension SQLValue {
    /// `i-7` for an integer, `t` or `b` and hexadecimal digits for text and bytes: no separator is in it.
    var encoded: String {
        switch self {
        case .null: "n"
        case .integer(let number): "i\(number)"
        case .text(let text): "t\(Hex.encode(Array(text.utf8)))"
        case .bytes(let bytes): "b\(Hex.encode(bytes))"
        }
    }

    init?(encoded text: some StringProtocol) {
        let rest = String(text.dropFirst())
        switch text.first {
        case "n" where rest.isEmpty:
            self = .null
        case "i":
            guard let number = Int64(rest) else { return nil }
            self = .integer(number)
        case "t":
            guard let bytes = Hex.decode(rest), let text = String(validating: bytes, as: UTF8.self) else { return nil }
            self = .text(text)
        case "b":
            guard let bytes = Hex.decode(rest) else { return nil }
            self = .bytes(bytes)
        default:
            return nil
        }
    }

    /// For messages.
    var described: String {
        switch self {
        case .null: "NULL"
        case .integer(let number): String(number)
        case .text(let text): "'\(text)'"
        case .bytes(let bytes): "0x\(Hex.encode(bytes))"
        }
    }
}

/// How far a table has been copied.
struct MoveProgress: Sendable, Equatable {
    /// Whose move it is: another one of the same target cannot take it for its own.
    let move: String
    var rows = 0
    var bytes = 0
    /// The key of the last row that is there.
    var last: [SQLValue]?
    var isEnd = false

    /// `MOVE ROWS BYTES end|- KEY…`.
    var text: String {
        ([move, "\(rows)", "\(bytes)", isEnd ? "end" : "-"] + (last ?? []).map(\.encoded)).joined(separator: " ")
    }

    init(of move: String) {
        self.move = move
    }

    init?(_ text: String) {
        let parts = text.split(separator: " ")
        guard parts.count >= 4, let rows = Int(parts[1]), let bytes = Int(parts[2]), ["end", "-"].contains(parts[3])
        else { return nil }
        let key = parts.dropFirst(4).compactMap { SQLValue(encoded: $0) }
        guard key.count == parts.count - 4 else { return nil }
        move = String(parts[0])
        self.rows = rows
        self.bytes = bytes
        isEnd = parts[3] == "end"
        last = key.isEmpty ? nil : key
    }

    mutating func take(_ page: MovedTable.Page) {
        rows += page.rows
        bytes += page.bytes
        last = page.last
        isEnd = page.isEnd
    }
}
