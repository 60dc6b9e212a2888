package import Kernel
package import Persistence
package import StateStore

/// Puts together what a stack's state is at this moment, or was at the end of a version.
package struct StateReader: Sendable {
    /// What a state is made of, as one snapshot of the database shows it.
    package enum Source: Sendable, Equatable {
        /// The stack was never given a state.
        case never
        case version(StoredVersion)
        /// The last save of a running update.
        case checkpoint(SavedText, update: Update)
        /// A journal over a base, which is nil for a stack without state.
        case journal(base: StoredVersion?, segments: [Segment], update: Update)

        /// What whoever reads it is told when its bytes are damaged.
        func isBroken(by damage: StateDamage) -> any Error {
            switch self {
            case .never: damage
            case .version(let stored): ServiceError.stateBroken(stored.version.version)
            case .checkpoint(_, let update), .journal(_, _, let update): ServiceError.stateBroken(update.version)
            }
        }
    }

    private static let deadline = Duration.seconds(60)

    private let database: Database
    private let objects: StateObjects
    private let stored: VersionReader
    private let checkpointTexts: CheckpointTexts
    private let compute: BlockingPool
    private let stacks = StackStore()
    private let updates = UpdateStore()
    private let versions = StateVersionStore()
    private let checkpoints = CheckpointStore()
    private let journal = SegmentStore(.journal)

    package init(
        database: Database,
        objects: StateObjects,
        versions stored: VersionReader,
        checkpoints: CheckpointTexts,
        compute: BlockingPool
    ) {
        self.database = database
        self.objects = objects
        self.stored = stored
        checkpointTexts = checkpoints
        self.compute = compute
    }

    /// The newest durable state, of a running update too, as it goes to a client.
    package func export(_ ref: StackRef) async throws -> StateExport {
        try await current(of: ref) { try await output($0) }
    }

    /// The state at the end of a version, as it goes to a client.
    ///
    /// - Throws: `.notFound` for a version that the stack does not have.
    package func export(_ ref: StackRef, version number: Int) async throws -> StateExport {
        let (_, _, version) = try await settled(ref, upTo: number)
        return try await output(version.map { .version($0) } ?? .never)
    }

    /// The text of the newest durable state, of a running update too.
    package func current(of ref: StackRef) async throws -> PiecedText {
        try await current(of: ref) { try await text($0) }
    }

    /// The newest durable state, of a running update too: what it is made of, and its text.
    func snapshot(of ref: StackRef) async throws -> (source: Source, text: PiecedText) {
        try await current(of: ref) { ($0, try await text($0)) }
    }

    /// How many resources the newest durable state has.
    package func resourceCount(of ref: StackRef) async throws -> Int {
        try await current(of: ref) { source in
            switch source {
            case .never: 0
            case .version(let version): version.version.resourceCount
            case .checkpoint(let saved, _): saved.resourceCount
            case .journal(let base, let segments, let update):
                try await fold(segments, over: base, of: update).resourceCount
            }
        }
    }

    /// Reads what the state is made of now.
    ///
    /// A save that is replaced while it is read takes its object with it; what took its place is read then. Bytes that are
    /// not there although nothing was replaced are damage.
    private func current<Result>(of ref: StackRef, _ read: (Source) async throws -> Result) async throws -> Result {
        var last: Source?
        while true {
            let source = try await database.read { [self] tx in
                guard let stack = try stacks.find(ref, in: tx) else { throw ServiceError.stackNotFound(ref) }
                return try self.source(of: stack, in: tx)
            }
            do {
                return try await read(source)
            } catch let damage as StateDamage {
                guard source == last else {
                    last = source
                    continue
                }
                throw source.isBroken(by: damage)
            }
        }
    }

    /// The newest state that an update has ended with, up to a version; nil for a stack that was never given one.
    ///
    /// - Returns: the stack, the number of the version asked for, and its state.
    /// - Throws: `.notFound` for a version that the stack does not have.
    package func settled(
        _ ref: StackRef,
        upTo number: Int? = nil
    ) async throws -> (stack: Stack, number: Int, state: StoredVersion?) {
        try await database.read { [self] tx in
            guard let stack = try stacks.find(ref, in: tx) else { throw ServiceError.stackNotFound(ref) }
            let number = number ?? stack.version
            guard number <= stack.version else { throw ServiceError.versionNotFound(number) }
            return (stack, number, try versions.latest(upTo: number, of: stack.id, in: tx))
        }
    }

    /// The document of a text.
    package func document(of text: PiecedText) async throws -> StateDocument {
        try await compute.run(WorkWeight(bytes: text.count), deadline: Self.deadline) {
            do {
                return try StateDocument(reading: text.pieces)
            } catch let error as StateError {
                throw error.serviceError
            }
        }
    }

    /// The document of a version.
    package func document(of state: StoredVersion) async throws -> StateDocument {
        try await stored.document(of: state)
    }

    /// What the state is made of now.
    package func source(of stack: Stack, in tx: Transaction) throws -> Source {
        let base = try versions.latest(upTo: stack.version, of: stack.id, in: tx)
        let settled: Source = base.map { .version($0) } ?? .never
        guard let running = stack.runningUpdate, let update = try updates.find(running, of: stack.id, in: tx) else {
            return settled
        }
        if update.journalVersion > 0 {
            let segments = try journal.all(of: update.id, in: tx)
            return segments.isEmpty ? settled : .journal(base: base, segments: segments, update: update)
        }
        guard let saved = try checkpoints.find(of: update.id, in: tx) else { return settled }
        return .checkpoint(saved, update: update)
    }

    /// The text of a state.
    ///
    /// - Throws: `StateDamage` when what a running update saved is damaged.
    package func text(_ source: Source) async throws -> PiecedText {
        switch source {
        case .never:
            return PiecedText(StateDocument.neverUpdated)
        case .version(let version):
            return try await stored.text(of: version)
        case .checkpoint(let saved, let update):
            return try await checkpointTexts.text(of: saved, by: update.id)
        case .journal(let base, let segments, let update):
            return PiecedText(try await fold(segments, over: base, of: update).text())
        }
    }

    private func output(_ source: Source) async throws -> StateExport {
        switch source {
        case .version(let version):
            return .gzip(try await VersionGzip(version, reader: stored))
        case .journal(let base, let segments, let update):
            let document = try await fold(segments, over: base, of: update)
            let weight = WorkWeight(bytes: document.listByteCount)
            return .text(try await compute.run(weight, deadline: Self.deadline) { document.text() })
        case .never, .checkpoint:
            return .text(try await text(source).joined())
        }
    }

    /// Replays a journal.
    ///
    /// The same journal gives the same bytes, whenever that is done.
    package func fold(
        _ segments: [Segment],
        over base: StoredVersion?,
        of update: Update
    ) async throws -> StateDocument {
        try Failpoint.reach(.foldRead)
        let batches = try await objects.readAgain {
            var bodies: [(Segment, [UInt8])] = []
            for segment in segments { bodies.append((segment, try await objects.bytes(segment.bytes))) }
            let weight = WorkWeight(bytes: bodies.reduce(0) { $0 + $1.1.count })
            return try await compute.map(bodies, weight: weight, deadline: Self.deadline) { segment, body in
                try Self.refusing { try JournalEntry.stored(segment.text(of: body)[...], count: segment.count) }
            }
        }
        try Failpoint.reach(.foldVerified)
        let document = if let base { try await stored.document(of: base) } else { StateDocument() }
        let weight = WorkWeight(bytes: batches.joined().reduce(document.listByteCount) { $0 + $1.bytes.count })
        return try await compute.run(weight, deadline: Self.deadline) {
            let options = FoldOptions(
                time: update.startedAt ?? update.createdAt,
                cliVersion: update.clientVersion,
                command: update.kind.rawValue,
                hash: StateHash.maker
            )
            return try Self.refusing {
                var fold = JournalFold()
                for batch in batches { try fold.add(batch) }
                return try fold.finish(base: document, options: options)
            }
        }
    }

    private static func refusing<Result>(_ work: () throws -> Result) throws -> Result {
        do {
            return try work()
        } catch let error as StateError {
            throw error.serviceError
        }
    }
}

/// A state on its way to a client.
package enum StateExport: Sendable {
    /// A version, as it is stored.
    case gzip(VersionGzip)
    /// A state that is not settled yet.
    case text([UInt8])
}
