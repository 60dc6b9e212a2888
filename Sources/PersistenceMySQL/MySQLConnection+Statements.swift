import CMariaDB
import Kernel
import Persistence

extension MySQLConnection: DriverConnection {
    func execute(_ sql: SQL) throws -> Int {
        try meet(.mysqlStatement)
        let statement = try run(sql)
        statement.endResult()
        try meet(.mysqlStatementDone)
        try checkTransaction(after: sql)
        return statement.affectedRows
    }

    func query(_ sql: SQL, _ body: (Row) throws -> Bool) throws {
        let statement = try run(sql)
        isReadingRows = true
        defer {
            isReadingRows = false
            statement.endResult()
        }
        guard let buffers = statement.resultBuffers() else {
            if statement.columnCount == 0 { return }
            throw judge(statement.lastError, sql: sql.text)
        }
        let row = Row(ResultRow(buffers))
        while try fetch(statement, of: sql) {
            guard try body(row) else { return }
            try checkDeadline()
        }
    }

    private func fetch(_ statement: PreparedStatement, of sql: SQL) throws -> Bool {
        do {
            return try statement.fetch()
        } catch let failure as MySQLError {
            throw judge(failure, sql: sql.text)
        }
    }

    /// Prepares where needed, binds and executes.
    private func run(_ sql: SQL) throws -> PreparedStatement {
        try checkReady(sql.text)
        let parameters = ParameterBuffers(sql.parameters)
        try checkSize(of: sql, parameters)
        let statement = try prepared(sql, for: parameters)
        do {
            try statement.execute(parameters)
            return statement
        } catch let failure as MySQLError where Self.mustPrepareAgain(failure) {
            // Nothing has happened yet: the server noticed before it ran it, or the result had other columns.
            cache.remove(sql.text)?.close()
            let fresh = try prepared(sql, for: parameters)
            do {
                try fresh.execute(parameters)
                return fresh
            } catch let failure as MySQLError {
                throw judge(failure, sql: sql.text)
            }
        } catch let failure as MySQLError {
            throw judge(failure, sql: sql.text)
        }
    }

    /// The server dropped the statement to make room or because a table changed (1615), or its result has other columns
    /// than when it was prepared (2057).
    private static func mustPrepareAgain(_ failure: MySQLError) -> Bool {
        failure.code == 1615 || failure.code == 2057
    }

    private func prepared(_ sql: SQL, for parameters: ParameterBuffers) throws -> PreparedStatement {
        if let statement = cache.value(for: sql.text), statement.takes(parameters) { return statement }
        let statement: PreparedStatement
        do {
            statement = try PreparedStatement(sql.text, on: handle)
        } catch let failure as MySQLError {
            throw judge(failure, sql: sql.text)
        }
        guard statement.parameterCount == sql.parameters.count else {
            statement.close()
            throw DatabaseError.statement(
                code: 0,
                message: "\(sql.parameters.count) values for \(statement.parameterCount) places",
                sql: sql.text
            )
        }
        cache.insert(statement, for: sql.text)?.close()
        return statement
    }

    /// Refuses what the server would answer by cutting the connection.
    private func checkSize(of sql: SQL, _ parameters: ParameterBuffers) throws {
        let size = max(parameters.messageSize, sql.text.utf8.count + 16)
        guard size <= maximumPacket else {
            throw ServiceError(
                .tooLarge,
                "The value is too large for the database: it takes \(size) bytes of the \(maximumPacket) that are allowed."
            )
        }
    }
}
