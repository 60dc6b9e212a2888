import CMariaDB
import Persistence

/// A statement that the server keeps prepared, and the buffers of its result.
///
/// Used by its connection's thread only.
final class PreparedStatement {
    private let handle: UnsafeMutablePointer<MYSQL_STMT>
    private let connection: UnsafeMutablePointer<MYSQL>
    private var buffers: ResultBuffers?
    private var isClosed = false
    let parameterCount: Int
    /// The types that the parameters have had; those that were NULL every time have none.
    private var types: [enum_field_types] = []

    init(_ text: String, on connection: UnsafeMutablePointer<MYSQL>) throws {
        guard let handle = mysql_stmt_init(connection) else {
            throw MySQLError(code: 2008, message: "the client library has no memory")
        }
        guard mysql_stmt_prepare(handle, text, UInt(text.utf8.count)) == 0 else {
            let failure = Self.lastError(handle)
            mysql_stmt_close(handle)
            throw failure
        }
        self.handle = handle
        self.connection = connection
        parameterCount = Int(mysql_stmt_param_count(handle))
    }

    deinit {
        close()
    }

    /// Lets the server forget it.
    ///
    /// To be called while the connection is open.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        mysql_stmt_close(handle)
    }

    /// What an error in the middle of a result is, the library tells of the connection only.
    var lastError: MySQLError {
        let own = Self.lastError(handle)
        guard own.code == 0 else { return own }
        return MySQLError(code: Int(mysql_errno(connection)), message: String(cString: mysql_error(connection)))
    }
    var columnCount: Int { Int(mysql_stmt_field_count(handle)) }

    /// The rows that the last execution changed or, for an `UPDATE`, matched.
    var affectedRows: Int {
        let count = mysql_stmt_affected_rows(handle)
        return count == UInt64.max ? 0 : Int(clamping: count)
    }

    /// Whether the values have the types that the server has settled on.
    ///
    /// MySQL takes a parameter's type from its first value where nothing else tells it, and converts later values to it:
    /// `SELECT ?` answers 0 for a text after it was run with a number.
    func takes(_ parameters: ParameterBuffers) -> Bool {
        zip(types, parameters.types).allSatisfy { $0 == MYSQL_TYPE_NULL || $1 == MYSQL_TYPE_NULL || $0 == $1 }
    }

    func execute(_ parameters: ParameterBuffers) throws {
        types = types.isEmpty ? parameters.types : zip(types, parameters.types).map { $0 == MYSQL_TYPE_NULL ? $1 : $0 }
        let result = parameters.withBindings { bindings in
            if parameterCount > 0, mysql_stmt_bind_param(handle, bindings) != 0 { return Int32(1) }
            return mysql_stmt_execute(handle)
        }
        guard result == 0 else { throw lastError }
    }

    /// The buffers that `fetch` fills, or nil when the statement has no result or they cannot be bound.
    ///
    /// Rows come one at a time from the socket. The buffers are made once per statement, and again when a changed table
    /// changed the types.
    func resultBuffers() -> ResultBuffers? {
        guard let fields = mariadb_stmt_fetch_fields(handle), columnCount > 0 else { return nil }
        let kinds = (0..<columnCount).map { ColumnKind(fields[$0]) }
        if let buffers, buffers.kinds == kinds { return buffers }
        let made = ResultBuffers(kinds, of: handle)
        guard mysql_stmt_bind_result(handle, made.bindings) == 0 else { return nil }
        buffers = made
        return made
    }

    /// Reads the next row into the buffers.
    ///
    /// - Returns: false after the last one.
    func fetch() throws -> Bool {
        switch mysql_stmt_fetch(handle) {
        case 0, MYSQL_DATA_TRUNCATED: return true
        case MYSQL_NO_DATA: return false
        default: throw lastError
        }
    }

    /// Reads what is left of the result, so that the connection can take the next statement.
    func endResult() {
        mysql_stmt_free_result(handle)
    }

    private static func lastError(_ handle: UnsafeMutablePointer<MYSQL_STMT>) -> MySQLError {
        MySQLError(code: Int(mysql_stmt_errno(handle)), message: String(cString: mysql_stmt_error(handle)))
    }
}
