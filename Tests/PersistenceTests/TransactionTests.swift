import Persistence
import Testing

@Suite("Transactions")
struct TransactionTests {
    @Test("insert unless it exists, as each engine tells it", arguments: [true, false])
    func insertIgnoringDuplicates(exists: Bool) throws {
        let sqlite = RecordingConnection(changes: exists ? 0 : 1)
        let mysql = RecordingConnection(changes: 1, error: exists ? .duplicate(key: "PRIMARY") : nil)

        let answers = [
            try Transaction(dialect: .sqlite, connection: sqlite).insertIgnoringDuplicates(
                into: "t",
                ["a": 1, "b": 2]
            ),
            try Transaction(dialect: .mysql, connection: mysql).insertIgnoringDuplicates(into: "t", ["a": 1, "b": 2]),
        ]

        #expect(answers == [!exists, !exists])
        #expect(sqlite.statements == ["INSERT INTO t (a, b) VALUES (\(1), \(2)) ON CONFLICT DO NOTHING"])
        #expect(mysql.statements == ["INSERT INTO t (a, b) VALUES (\(1), \(2))"])
    }

    @Test("insert unless it exists, and keep the row, as each engine does it")
    func insertOrLock() throws {
        let sqlite = RecordingConnection(changes: 0)
        let mysql = RecordingConnection(changes: 1)
        let values: ColumnValues = ["a": 1, "b": 2]

        try Transaction(dialect: .sqlite, connection: sqlite).insertOrLock(into: "t", key: "a", values)
        try Transaction(dialect: .mysql, connection: mysql).insertOrLock(into: "t", key: "a", values)

        #expect(sqlite.statements == ["INSERT INTO t (a, b) VALUES (\(1), \(2)) ON CONFLICT DO NOTHING"])
        #expect(mysql.statements == ["INSERT INTO t (a, b) VALUES (\(1), \(2)) ON DUPLICATE KEY UPDATE a = a"])
    }

    @Test("take no other error for a duplicate", arguments: Dialect.allCases)
    func otherErrors(dialect: Dialect) {
        let connection = RecordingConnection(changes: 1, error: .unavailable("away"))
        let transaction = Transaction(dialect: dialect, connection: connection)

        #expect(throws: DatabaseError.self) {
            try transaction.insertIgnoringDuplicates(into: "t", ["a": 1])
        }
    }

    @Test("lock rows where the writer is not alone")
    func lock() throws {
        let sqlite = RecordingConnection(changes: 0)
        let mysql = RecordingConnection(changes: 0)

        try Transaction(dialect: .sqlite, connection: sqlite).lock("t", where: "a = \(1)")
        try Transaction(dialect: .mysql, connection: mysql).lock("t", where: "a = \(1)")

        #expect(sqlite.statements == [])
        #expect(mysql.statements == ["SELECT 1 FROM t WHERE a = \(1) FOR UPDATE"])
    }
}

/// Notes the statements and answers each of them alike.
private final class RecordingConnection: DriverConnection {
    private(set) var statements: [SQL] = []
    private let changes: Int
    private let error: DatabaseError?

    init(changes: Int, error: DatabaseError? = nil) {
        self.changes = changes
        self.error = error
    }

    func execute(_ sql: SQL) throws -> Int {
        statements.append(sql)
        if let error { throw error }
        return changes
    }

    func query(_ sql: SQL, _ body: (Row) throws -> Bool) throws {
        statements.append(sql)
        if let error { throw error }
    }
}
