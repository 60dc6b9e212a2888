package import Kernel
package import Persistence

// MARK: - The end

extension DatabaseMove {
    /// From here on the source is never served again, unless the move is taken back before a server ran on the target.
    func closeSource(_ id: String) async throws {
        let now = effects.now()
        try await source.database.write { tx in
            guard var mark = try MoveMark.readLocked(in: tx), mark.id == id, [.moving, .moved].contains(mark.state)
            else { throw ServiceError(.conflict, "The move of \(source.name) was given up meanwhile.") }
            mark.state = .moved
            try mark.write(at: now, in: tx)
        }
    }

    func finish(_ id: String) async throws {
        try await Self.lift(tables.map(\.trace), in: source)
        let now = effects.now()
        try await target.database.write { tx in
            guard let mark = try MoveMark.readLocked(in: tx), mark.id == id, [.filling, .ready].contains(mark.state)
            else { throw ServiceError(.conflict, "\(target.name) belongs to another move by now.") }
            try MoveMark.remove(in: tx)
            try MoveMark(.ready, id: id, place: source.name).write(at: now, in: tx)
        }
        try Failpoint.reach(.moveTargetReady)
    }

    /// Gives the source back to servers.
    ///
    /// - Parameter openTarget: is called only where the target could be served already.
    /// - Throws: where it was, and where the source is no source.
    package static func cancel(
        _ source: Place,
        migrations: [Migration],
        effects: Effects,
        openTarget: () async throws -> Place
    ) async throws {
        guard let mark = try await MoveMark.read(source.database) else {
            throw ServiceError(.failedPrecondition, "\(source.name) is not being moved")
        }
        switch mark.state {
        case .copying, .moving, .cancelling: break
        case .moved: try await takeBack(mark, from: try await openTarget(), at: effects.now())
        case .filling, .ready, .cancelled: throw mark.refusal(of: source.name)
        }
        let now = effects.now()
        try await source.database.write { tx in
            guard var found = try MoveMark.readLocked(in: tx), found.id == mark.id,
                [mark.state, .cancelling].contains(found.state)
            else { throw ServiceError(.conflict, "The move of \(source.name) went on meanwhile.") }
            found.state = .cancelling
            try found.write(at: now, in: tx)
        }
        try Failpoint.reach(.moveCancelling)
        let tables = try Migration.tables(after: migrations)
        try await MoveFence.lower(around: tables, in: source.database)
        try await lift(tables.map { ChangeTrace($0) }, in: source)
        try await source.database.write { tx in try MoveMark.remove(in: tx) }
    }

    /// Nothing of the source is traced any more.
    private static func lift(_ traces: [ChangeTrace], in source: Place) async throws {
        try await source.database.migrate { session in
            for trace in traces {
                guard try session.transaction({ tx in try tx.hasTable(trace.name) }) else { continue }
                try Failpoint.reach(.moveTraceLift)
                try trace.lift(in: session)
            }
        }
    }

    /// Makes sure that no server is, was or will be started on the target.
    private static func takeBack(_ mark: MoveMark, from target: Place, at now: Timestamp) async throws {
        try await target.database.write { tx in
            guard var found = try MoveMark.readLocked(in: tx), found.id == mark.id,
                [.filling, .ready, .cancelled].contains(found.state)
            else {
                throw ServiceError(
                    .failedPrecondition,
                    "\(target.name) is in use since the move: what was changed there would be lost. Move it back instead"
                )
            }
            found.state = .cancelled
            try found.write(at: now, in: tx)
        }
        try Failpoint.reach(.moveTakenBack)
    }
}
