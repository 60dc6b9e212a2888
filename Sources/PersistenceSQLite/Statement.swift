import CSQLite
import Persistence

/// A prepared statement, and the row it stands on.
final class Statement: RowSource {
    let handle: OpaquePointer
    let sql: String
    let parameterCount: Int
    var lastUse: UInt64 = 0

    init(handle: OpaquePointer, sql: String) {
        self.handle = handle
        self.sql = sql
        parameterCount = Int(sqlite3_bind_parameter_count(handle))
    }

    deinit {
        sqlite3_finalize(handle)
    }

    /// Ends the run, so that its locks and its parameters' memory are released.
    func reset() {
        sqlite3_reset(handle)
        if parameterCount > 0 { sqlite3_clear_bindings(handle) }
    }

    // MARK: - Parameters

    /// Binds parameters, runs `body` and unbinds them.
    ///
    /// Large values are not copied: their memory is held in place until `body` is done.
    func withBound<Result>(_ parameters: [SQLValue], _ body: () throws -> Result) throws -> Result {
        guard parameters.count == parameterCount else {
            throw SQLiteFailure(
                code: SQLITE_RANGE,
                message: "\(parameterCount) parameters in the text, \(parameters.count) given",
                sql: sql
            )
        }
        return try bind(parameters[...], body)
    }

    private func bind<Result>(_ parameters: ArraySlice<SQLValue>, _ body: () throws -> Result) throws -> Result {
        for index in parameters.indices {
            let place = Int32(index + 1)
            switch parameters[index] {
            case .null:
                try check(sqlite3_bind_null(handle, place))
            case .integer(let value):
                try check(sqlite3_bind_int64(handle, place, value))
            case .text(var text):
                let size = text.utf8.count
                if size > Self.copyLimit {
                    return try text.withUTF8 { buffer in
                        try check(buffer.withMemoryRebound(to: CChar.self) { bindText($0, at: place, copy: false) })
                        defer { sqlite3_bind_null(handle, place) }
                        return try bind(parameters[(index + 1)...], body)
                    }
                }
                try check(
                    text.withUTF8 { buffer in
                        buffer.withMemoryRebound(to: CChar.self) { bindText($0, at: place, copy: true) }
                    }
                )
            case .bytes(let bytes):
                if bytes.count > Self.copyLimit {
                    return try bytes.withUnsafeBytes { buffer in
                        try check(bindBytes(buffer, at: place, copy: false))
                        defer { sqlite3_bind_null(handle, place) }
                        return try bind(parameters[(index + 1)...], body)
                    }
                }
                try check(bytes.withUnsafeBytes { bindBytes($0, at: place, copy: true) })
            }
        }
        return try body()
    }

    /// SQLite takes a null pointer for NULL, whatever the length says.
    private func bindText(_ buffer: UnsafeBufferPointer<CChar>, at place: Int32, copy: Bool) -> Int32 {
        guard let start = buffer.baseAddress, !buffer.isEmpty else {
            return cairn_sqlite_bind_text(handle, place, "", 0, 1)
        }
        return cairn_sqlite_bind_text(handle, place, start, UInt64(buffer.count), copy ? 1 : 0)
    }

    private func bindBytes(_ buffer: UnsafeRawBufferPointer, at place: Int32, copy: Bool) -> Int32 {
        guard let start = buffer.baseAddress, !buffer.isEmpty else {
            return sqlite3_bind_zeroblob(handle, place, 0)
        }
        return cairn_sqlite_bind_bytes(handle, place, start, UInt64(buffer.count), copy ? 1 : 0)
    }

    private func check(_ code: Int32) throws {
        guard code == SQLITE_OK else {
            throw SQLiteFailure(code: code, message: String(cString: sqlite3_errstr(code)), sql: sql)
        }
    }

    /// Above so many bytes a copy costs more than holding the memory in place.
    private static let copyLimit = 4096

    // MARK: - The row

    var columnCount: Int { Int(sqlite3_data_count(handle)) }

    func isNull(_ column: Int) -> Bool {
        sqlite3_column_type(handle, Int32(column)) == SQLITE_NULL
    }

    func integer(_ column: Int) throws -> Int64 {
        guard sqlite3_column_type(handle, Int32(column)) == SQLITE_INTEGER else {
            throw wrongType(column, expected: "an integer")
        }
        return sqlite3_column_int64(handle, Int32(column))
    }

    func text(_ column: Int) throws -> String {
        let bytes = try textBytes(column)
        // `String(validating:as:)` is generic and not specialized: it takes three times as long.
        guard let text = try? UTF8Span(validating: bytes.span) else {
            throw RowError.wrongType(column: column, expected: "text in UTF-8")
        }
        return String(copying: text)
    }

    func withText(_ column: Int, _ body: (Span<UInt8>) -> Void) throws {
        body(try textBytes(column).span)
    }

    /// Valid until the statement goes on.
    private func textBytes(_ column: Int) throws -> UnsafeBufferPointer<UInt8> {
        let index = Int32(column)
        guard sqlite3_column_type(handle, index) == SQLITE_TEXT else { throw wrongType(column, expected: "text") }
        guard let start = sqlite3_column_text(handle, index) else { throw outOfMemory }
        return UnsafeBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, index)))
    }

    /// Text is given as its UTF-8.
    func bytes(_ column: Int) throws -> [UInt8] {
        let index = Int32(column)
        let type = sqlite3_column_type(handle, index)
        guard type == SQLITE_BLOB || type == SQLITE_TEXT else { throw wrongType(column, expected: "bytes") }
        let start = sqlite3_column_blob(handle, index)
        let count = Int(sqlite3_column_bytes(handle, index))
        guard count > 0 else { return [] }
        guard let start else { throw outOfMemory }
        return Array(UnsafeRawBufferPointer(start: start, count: count))
    }

    private func wrongType(_ column: Int, expected: String) -> RowError {
        if !(0..<columnCount).contains(column) {
            return .wrongType(column: column, expected: "one of \(columnCount) columns")
        }
        return isNull(column) ? .isNull(column: column) : .wrongType(column: column, expected: expected)
    }

    private var outOfMemory: SQLiteFailure {
        SQLiteFailure(code: SQLITE_NOMEM, message: "out of memory", sql: sql)
    }
}

/// The prepared statements of one connection, by their text.
///
/// Texts come from literals, so there are as many as the source has; the bound is for lists of different lengths. The
/// least recently used one goes.
struct StatementCache {
    private var statements: [String: Statement] = [:]
    private var clock: UInt64 = 0
    private let limit: Int

    init(limit: Int) {
        self.limit = limit
    }

    mutating func find(_ text: String) -> Statement? {
        guard let statement = statements[text] else { return nil }
        clock += 1
        statement.lastUse = clock
        return statement
    }

    mutating func insert(_ statement: Statement) {
        if statements.count >= limit, let oldest = statements.values.min(by: { $0.lastUse < $1.lastUse }) {
            statements[oldest.sql] = nil
        }
        clock += 1
        statement.lastUse = clock
        statements[statement.sql] = statement
    }

    mutating func removeAll() {
        statements = [:]
    }
}
