import Kernel
import Persistence

/// Takes the tables of a source away from everybody but the move, by another name for each.
///
/// A mark is read when a server starts. One that runs, was cut off and comes back, or a tool that was started before, does
/// not read it again; it finds no table and gets an error from the engine, whatever it wanted to write. That costs a write
/// nothing as long as there is no move. Each table is renamed by itself: the engines commit that at once, so an
/// interrupted run goes on with those that are left.
enum MoveFence {
    /// `server_values` keeps its name, because it says what has become of the others.
    static func isFenced(_ table: Table) -> Bool { table.name != MoveMark.table }

    /// What a table is called while it is kept from others.
    static func name(of table: Table) -> String {
        isFenced(table) ? "moved_\(table.name)" : table.name
    }

    static func raise(around tables: [Table], in database: Database) async throws {
        try await database.migrate { session in
            for table in tables where isFenced(table) {
                guard try !exists(name(of: table), session) else { continue }
                try Failpoint.reach(.moveTableRename)
                try rename(table.name, to: name(of: table), session)
            }
        }
        try Failpoint.reach(.moveTablesRenamed)
    }

    static func lower(around tables: [Table], in database: Database) async throws {
        try await database.migrate { session in
            for table in tables where isFenced(table) {
                guard try exists(name(of: table), session) else { continue }
                try Failpoint.reach(.moveTableReturn)
                try rename(name(of: table), to: table.name, session)
            }
        }
        try Failpoint.reach(.moveTablesReturned)
    }

    private static func rename(_ name: String, to other: String, _ session: any MigrationSession) throws {
        try session.execute("ALTER TABLE \(SQL(identifier: name)) RENAME TO \(SQL(identifier: other))")
    }

    private static func exists(_ name: String, _ session: any MigrationSession) throws -> Bool {
        try session.transaction { tx in try tx.hasTable(name) }
    }
}
