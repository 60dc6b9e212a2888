import Persistence

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension SQLiteDriver {
    /// Copies the database as it is at one moment into a new file, durably, while it is in use.
    ///
    /// The copy is compact and has no log beside it. The log of the database grows while the copy is made.
    ///
    /// - Throws: `DatabaseError`; `CancellationError`; no file is left then.
    package func backup(to path: String) async throws {
        try await withOwnConnection(name: "sqlite-backup") { connection in
            guard Host.createFile(path) else {
                throw DatabaseError.unavailable("\(path) cannot be made: \(Host.error(errno))")
            }
            do {
                // lint: failpoint because no server makes copies yet.
                try connection.control("VACUUM INTO ?", [.text(path)])
                // lint: failpoint because no server makes copies yet.
                guard Host.syncFile(path), Host.syncFolder(SQLiteOpening.folder(of: path)) else {
                    throw DatabaseError.unavailable("\(path) cannot be made durable: \(Host.error(errno))")
                }
            } catch {
                // lint: failpoint because what is left of a copy is nobody's.
                unlink(path)
                throw error
            }
        }
    }

    /// Reads the whole database and looks for damage and for rows that refer to nothing.
    ///
    /// - Returns: what is wrong, at most a hundred lines; empty when all is well.
    package func problems() async throws -> [String] {
        try await withOwnConnection(name: "sqlite-doctor") { connection in
            let damage: [String]
            do {
                damage = try connection.values("PRAGMA integrity_check(100)").filter { $0 != "ok" }
            } catch let failure as SQLiteFailure where failure.isDamage {
                // The check itself cannot read past it.
                return [failure.message]
            }
            guard damage.isEmpty else { return damage }
            let dangling = try connection.values("PRAGMA foreign_key_check")
            return dangling.prefix(100).map { "a row of \($0) refers to a row that does not exist" }
        }
    }

    /// Runs long work on a thread and a connection that exist only for it.
    private func withOwnConnection<T: Sendable>(
        name: String,
        _ body: @escaping @Sendable (Connection) throws -> T
    ) async throws -> T {
        let errand = try beginErrand()
        defer { endErrand(errand) }
        let opening = opening
        return try await withTaskCancellationHandler {
            try await ConnectionThread.run(name: name) {
                let connection: Connection
                do throws(SQLiteOpenError) {
                    connection = try opening.open(.maintenance)
                } catch {
                    throw DatabaseError.unavailable(error.description)
                }
                defer { connection.close() }
                let limit = Connection.Limit(deadline: .now + .seconds(86_400), ticket: errand.ticket)
                do {
                    return try connection.withLimit(limit) { try body(connection) }
                } catch let failure as SQLiteFailure {
                    throw connection.translate(failure, under: limit)
                }
            }
        } onCancel: {
            errand.ticket.cancel()
        }
    }
}
