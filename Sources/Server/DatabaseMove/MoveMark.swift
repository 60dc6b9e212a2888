package import Kernel
package import Persistence

/// What a database remembers of a move: rows of `server_values` whose names begin with `move.`, which are not moved.
///
/// At any moment at most one of the two databases may be served: the source until it is marked, the target from when it
/// is ready. A server reads the mark before it does anything else (`admit`).
package struct MoveMark: Sendable, Equatable {
    package enum State: String, Sendable, CaseIterable {
        /// The source while it is served, and copied.
        case copying
        /// The source, from before its first row is copied at rest until everything was compared.
        case moving
        /// The source, for good.
        case moved
        /// The source while its tables get their names back.
        case cancelling
        /// The target, from before its first row.
        case filling
        /// The target when everything was compared, until a server is started on it.
        case ready
        /// The target of a move that was taken back after it was ready.
        case cancelled
    }

    package var state: State
    /// The same on both sides.
    package var id: String
    /// What messages call the other side.
    package var place: String

    package init(_ state: State, id: String, place: String) {
        self.state = state
        self.id = id
        self.place = place
    }

    static let table = "server_values"
    static let prefix = "move."
    private static let (stateRow, idRow, placeRow) = ("move.state", "move.id", "move.place")
    private static let (copiedRow, checkedRow) = ("move.copied.", "move.checked.")
    /// The row that says whose turn it is to write.
    static let turnRow = "move.turn"

    /// The row that holds how far a table has been copied.
    static func copiedRow(of table: String) -> String { copiedRow + table }

    /// The row that says that all rows of a table were compared while it was served.
    static func checkedRow(of table: String) -> String { checkedRow + table }

    // MARK: - Reading and writing

    /// Nil where the database is no part of a move.
    package static func read(_ database: Database) async throws -> MoveMark? {
        try await database.read { tx in try read(in: tx) }
    }

    static func read(in tx: Transaction) throws -> MoveMark? {
        guard try tx.hasTable(table) else { return nil }
        let sql: SQL = "SELECT name, value FROM server_values WHERE name IN \(list: [stateRow, idRow, placeRow])"
        let rows = Dictionary(uniqueKeysWithValues: try tx.all(sql) { (try $0.text(0), try $0.text(1)) })
        guard let text = rows[stateRow] else { return nil }
        guard let state = State(rawValue: text), let id = rows[idRow], let place = rows[placeRow] else {
            throw ServiceError(.damaged, "The rows of a move in server_values are not as cairn writes them.")
        }
        return MoveMark(state, id: id, place: place)
    }

    /// The same, with the row locked until the transaction ends.
    static func readLocked(in tx: Transaction) throws -> MoveMark? {
        guard try tx.hasTable(table) else { return nil }
        try tx.lock(table, where: "name = \(stateRow)")
        return try read(in: tx)
    }

    func write(at now: Timestamp, in tx: Transaction) throws {
        for (name, value) in [(Self.stateRow, state.rawValue), (Self.idRow, id), (Self.placeRow, place)] {
            try tx.upsert(into: Self.table, key: ["name": name], set: ["value": value, "updated_at": now])
        }
    }

    /// Removes everything that a move wrote.
    static func remove(in tx: Transaction) throws {
        let tables = try tx.all("SELECT name FROM server_values") { try $0.text(0) }.filter { $0.hasPrefix(prefix) }
        try tx.execute("DELETE FROM server_values WHERE name IN \(list: tables)")
    }

    // MARK: - Who may use the database

    /// Lets a server use a database, or says where it should look instead.
    ///
    /// With the first server on it a target is an ordinary database, and the move cannot be taken back any more.
    ///
    /// - Returns: whether migrations may be applied: what is copied must stay what the target was made for.
    @discardableResult
    package static func admit(to database: Database, name: String) async throws -> Bool {
        guard let mark = try await read(database) else { return true }
        guard mark.state != .copying else { return false }
        guard mark.state == .ready else { throw mark.refusal(of: name) }
        try Failpoint.reach(.moveTargetServed)
        try await database.write { tx in
            guard let mark = try readLocked(in: tx) else { return }
            guard mark.state == .ready else { throw mark.refusal(of: name) }
            try remove(in: tx)
        }
        return true
    }

    /// Refuses a command that would change a database that is not served, or not yet.
    ///
    /// - Parameter allowed: the state in which it may be changed that way all the same: for changes of rows `.copying`, as
    ///   they are traced; `.ready` for one that may be lost when the move is taken back.
    package static func refuse(_ database: Database, name: String, except allowed: State = .copying) async throws {
        guard let mark = try await read(database), mark.state != allowed else { return }
        throw mark.refusal(of: name)
    }

    /// Why a database cannot be used, in words for the operator.
    package func refusal(of name: String) -> ServiceError {
        ServiceError(.failedPrecondition, explanation(of: name))
    }

    package func explanation(of name: String) -> String {
        switch state {
        case .copying:
            "\(name) is being copied to \(place) and can be served: 'cairn move database' without --online ends that"
        case .moving:
            "\(name) is being moved to \(place): repeat 'cairn move database' to go on, add --cancel to keep it"
        case .moved:
            "\(name) was moved to \(place): its rows are there now, start the server with the settings for that"
        case .cancelling:
            "the move of \(name) is being taken back: repeat 'cairn move database' with --cancel"
        case .filling:
            "\(name) holds a part of what is being moved from \(place): repeat 'cairn move database' to go on"
        case .ready:
            "\(name) was filled from \(place) and no server was started on it yet: start one first"
        case .cancelled:
            "\(name) holds what was moved from \(place) and taken back: it has to be emptied"
        }
    }
}
