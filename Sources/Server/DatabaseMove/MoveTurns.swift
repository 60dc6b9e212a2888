import Kernel
import Persistence

/// Lets one program write to the target: another one that does the same move would bring back what rows were before.
///
/// Each write takes the next turn, in the target and in its own transaction. Whoever finds that somebody else took it has
/// read from the source before that, and ends.
final class MoveTurns: Sendable {
    /// The id of the move.
    let move: String
    private let target: DatabaseMove.Place
    /// The last turn that was taken here.
    private let taken = Locked(0)

    /// - Throws: what reading the target throws.
    init(of move: String, in target: DatabaseMove.Place) async throws {
        self.move = move
        self.target = target
        let text = try await target.database.read { tx in
            try tx.first("SELECT value FROM server_values WHERE name = \(MoveMark.turnRow)") { try $0.text(0) }
        }
        let parts = text?.split(separator: " ") ?? []
        guard parts.count == 2, parts[0] == move, let turn = Int(parts[1]) else {
            throw ServiceError(.damaged, "\(target.name) does not tell whose turn it is.")
        }
        taken.withLock { $0 = turn }
    }

    static func text(_ turn: Int, of move: String) -> String { "\(move) \(turn)" }

    /// Runs `body` in one transaction of the target, without regard to foreign keys: while the source is served, a row
    /// may come before the one that it refers to.
    ///
    /// In the end both have the same rows, and the source has its keys.
    ///
    /// - Throws: `.conflict` where somebody else was there.
    func write(at now: Timestamp, _ body: @escaping @Sendable (Transaction) throws -> Void) async throws {
        let (move, name) = (move, target.name)
        let turn = taken.withLock { $0 }
        try await target.database.write { tx in
            let isMySQL = tx.dialect == .mysql
            if isMySQL { try tx.execute("SET foreign_key_checks = 0") }
            let count = try tx.execute(
                """
                UPDATE server_values SET value = \(Self.text(turn + 1, of: move)), updated_at = \(now)
                WHERE name = \(MoveMark.turnRow) AND value = \(Self.text(turn, of: move))
                """
            )
            guard count == 1 else { throw ServiceError(.conflict, "Somebody else copies into \(name).") }
            try body(tx)
            if isMySQL { try tx.execute("SET foreign_key_checks = 1") }
        }
        taken.withLock { $0 = turn + 1 }
    }
}

extension DatabaseMove {
    /// SQLite can leave foreign keys out of account only for a connection, not for a transaction.
    func withoutForeignKeys<Result>(_ body: () async throws -> Result) async throws -> Result {
        guard target.database.dialect == .sqlite else { return try await body() }
        try await target.database.migrate { try $0.checkForeignKeys(false) }
        let result: Result
        do {
            result = try await body()
        } catch {
            try await target.database.migrate { try $0.checkForeignKeys(true) }
            throw error
        }
        try await target.database.migrate { try $0.checkForeignKeys(true) }
        return result
    }
}
