import Persistence

/// The writer's connection while nobody else has it.
struct SQLiteMigrationSession: MigrationSession {
    private let connection: Connection

    init(_ connection: Connection) {
        self.connection = connection
    }

    var dialect: Dialect { .sqlite }

    func execute(_ sql: SQL) throws {
        _ = try connection.execute(sql)
    }

    func checkForeignKeys(_ isOn: Bool) throws {
        try connection.control("PRAGMA foreign_keys = \(isOn ? 1 : 0)")
    }

    func transaction<T>(_ body: (Transaction) throws -> T) throws -> T {
        do {
            try connection.begin("BEGIN IMMEDIATE")
            let value = try body(Transaction(dialect: .sqlite, connection: connection))
            try connection.commit()
            return value
        } catch {
            connection.rollBack()
            guard let failure = error as? SQLiteFailure else { throw error }
            throw connection.translate(failure)
        }
    }
}
