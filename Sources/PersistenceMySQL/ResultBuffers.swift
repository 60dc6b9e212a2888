import CMariaDB
import Persistence

/// How a column is read.
enum ColumnKind: Equatable {
    case integer(isUnsigned: Bool)
    /// A number with digits after the point, as text; sums of integers have this type, too.
    case decimal
    case text
    case bytes

    /// The number that marks a column without a character set.
    private static let binaryCharacterSet: UInt32 = 63

    init(_ field: MYSQL_FIELD) {
        switch field.type {
        case MYSQL_TYPE_TINY, MYSQL_TYPE_SHORT, MYSQL_TYPE_LONG, MYSQL_TYPE_LONGLONG, MYSQL_TYPE_INT24, MYSQL_TYPE_YEAR:
            self = .integer(isUnsigned: field.flags & UInt32(UNSIGNED_FLAG) != 0)
        case MYSQL_TYPE_DECIMAL, MYSQL_TYPE_NEWDECIMAL:
            self = .decimal
        case MYSQL_TYPE_TINY_BLOB, MYSQL_TYPE_MEDIUM_BLOB, MYSQL_TYPE_LONG_BLOB, MYSQL_TYPE_BLOB, MYSQL_TYPE_VAR_STRING,
            MYSQL_TYPE_STRING, MYSQL_TYPE_VARCHAR:
            self = field.charsetnr == Self.binaryCharacterSet ? .bytes : .text
        default:
            self = .text
        }
    }
}

/// Where the client library puts one row: 8 bytes for a number, 1 KiB for anything else; what is longer is fetched in a
/// second call.
final class ResultBuffers {
    private static let inlineSize = 1024

    let kinds: [ColumnKind]
    private let statement: UnsafeMutablePointer<MYSQL_STMT>
    let bindings: UnsafeMutablePointer<MYSQL_BIND>
    private let lengths: UnsafeMutablePointer<UInt>
    private let nulls: UnsafeMutablePointer<my_bool>
    private let truncations: UnsafeMutablePointer<my_bool>
    private let storage: UnsafeMutableRawPointer
    private let offsets: [Int]

    init(_ kinds: [ColumnKind], of statement: UnsafeMutablePointer<MYSQL_STMT>) {
        self.kinds = kinds
        self.statement = statement
        bindings = .allocate(capacity: kinds.count)
        bindings.initialize(repeating: MYSQL_BIND(), count: kinds.count)
        lengths = .allocate(capacity: kinds.count)
        lengths.initialize(repeating: 0, count: kinds.count)
        nulls = .allocate(capacity: kinds.count)
        nulls.initialize(repeating: 0, count: kinds.count)
        truncations = .allocate(capacity: kinds.count)
        truncations.initialize(repeating: 0, count: kinds.count)
        var offsets: [Int] = []
        var size = 0
        for kind in kinds {
            offsets.append(size)
            size += Self.size(kind)
        }
        self.offsets = offsets
        storage = .allocate(byteCount: max(size, 1), alignment: 8)
        for (column, kind) in kinds.enumerated() {
            bindings[column].buffer = storage + offsets[column]
            bindings[column].buffer_length = UInt(Self.size(kind))
            bindings[column].length = lengths + column
            bindings[column].is_null = nulls + column
            bindings[column].error = truncations + column
            bindings[column].buffer_type = Self.type(kind)
            if case .integer(isUnsigned: true) = kind { bindings[column].is_unsigned = 1 }
        }
    }

    deinit {
        bindings.deallocate()
        lengths.deallocate()
        nulls.deallocate()
        truncations.deallocate()
        storage.deallocate()
    }

    func isNull(_ column: Int) -> Bool {
        nulls[column] != 0
    }

    /// The number of an integer column, or nil where it does not fit.
    func integer(_ column: Int, isUnsigned: Bool) -> Int64? {
        let number = storage + offsets[column]
        return isUnsigned
            ? Int64(exactly: number.load(as: UInt64.self)) : number.load(as: Int64.self)
    }

    /// The bytes of any other column, or nil where the second call fails.
    func bytes(_ column: Int) -> [UInt8]? {
        let length = Int(clamping: lengths[column])
        guard length > Self.inlineSize else {
            return Array(UnsafeRawBufferPointer(start: storage + offsets[column], count: length))
        }
        var failed = false
        let bytes = [UInt8](unsafeUninitializedCapacity: length) { room, count in
            var binding = MYSQL_BIND()
            binding.buffer_type = Self.type(kinds[column])
            binding.buffer = UnsafeMutableRawPointer(room.baseAddress)
            binding.buffer_length = UInt(length)
            failed = mysql_stmt_fetch_column(statement, &binding, UInt32(column), 0) != 0
            count = failed ? 0 : length
        }
        return failed ? nil : bytes
    }

    private static func size(_ kind: ColumnKind) -> Int {
        if case .integer = kind { 8 } else { inlineSize }
    }

    private static func type(_ kind: ColumnKind) -> enum_field_types {
        switch kind {
        case .integer: MYSQL_TYPE_LONGLONG
        case .bytes: MYSQL_TYPE_BLOB
        case .text, .decimal: MYSQL_TYPE_STRING
        }
    }
}

/// The row that the buffers hold at the moment.
struct ResultRow: RowSource {
    private let buffers: ResultBuffers

    init(_ buffers: ResultBuffers) {
        self.buffers = buffers
    }

    var columnCount: Int { buffers.kinds.count }

    func isNull(_ column: Int) -> Bool {
        columnExists(column) && buffers.isNull(column)
    }

    func integer(_ column: Int) throws -> Int64 {
        switch try kind(column) {
        case .integer(let isUnsigned):
            if let number = buffers.integer(column, isUnsigned: isUnsigned) { return number }
        case .decimal:
            if let digits = buffers.bytes(column), let number = Int64(String(decoding: digits, as: UTF8.self)) {
                return number
            }
        case .text, .bytes:
            break
        }
        throw RowError.wrongType(column: column, expected: "integer")
    }

    func text(_ column: Int) throws -> String {
        guard try kind(column) == .text, let bytes = buffers.bytes(column),
            let text = String(validating: bytes, as: UTF8.self)
        else { throw RowError.wrongType(column: column, expected: "text") }
        return text
    }

    /// Text is given as its UTF-8, as on SQLite.
    func bytes(_ column: Int) throws -> [UInt8] {
        let kind = try kind(column)
        guard kind == .bytes || kind == .text, let bytes = buffers.bytes(column) else {
            throw RowError.wrongType(column: column, expected: "bytes")
        }
        return bytes
    }

    /// The kind of a column that holds a value.
    private func kind(_ column: Int) throws -> ColumnKind {
        guard columnExists(column) else { throw RowError.wrongType(column: column, expected: "a column") }
        guard !buffers.isNull(column) else { throw RowError.isNull(column: column) }
        return buffers.kinds[column]
    }

    private func columnExists(_ column: Int) -> Bool {
        column >= 0 && column < columnCount
    }
}
