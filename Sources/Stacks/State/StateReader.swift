import Compression
package import Kernel
package import Persistence
package import StateStore

/// Puts together what a stack's state is at this moment, or was at the end of a version.
package struct StateReader: Sendable {
    /// What a state is made of, as one snapshot of the database shows it.
    package enum Source: Sendable {
        /// The stack was never given a state.
        case never
        case text(StateText, version: Int)
        /// A journal over a base, which is nil for a stack without state.
        case journal(base: StateText?, segments: [Segment], update: Update)
    }

    private static let deadline = Duration.seconds(60)
    /// The most bytes of one inflated batch.
    static let segmentLimit = 512 << 20

    private let database: Database
    private let texts: StateTexts
    private let compute: BlockingPool
    private let stacks = StackStore()
    private let updates = UpdateStore()
    private let versions = StateVersionStore()
    private let journal = SegmentStore(.journal)

    package init(database: Database, texts: StateTexts, compute: BlockingPool) {
        self.database = database
        self.texts = texts
        self.compute = compute
    }

    /// The newest durable state, of a running update too.
    package func current(of ref: StackRef) async throws -> [UInt8] {
        let source = try await database.read { [self] tx in
            guard let stack = try stacks.find(ref, in: tx) else { throw ServiceError.stackNotFound(ref) }
            return try self.source(of: stack, in: tx)
        }
        return try await text(source)
    }

    /// The state at the end of a version.
    ///
    /// - Throws: `.notFound` for a version that the stack does not have.
    package func version(_ number: Int, of ref: StackRef) async throws -> [UInt8] {
        let source = try await database.read { [self] tx -> Source in
            guard let stack = try stacks.find(ref, in: tx) else { throw ServiceError.stackNotFound(ref) }
            guard number <= stack.version else { throw ServiceError.versionNotFound(number) }
            guard let version = try versions.latest(upTo: number, of: stack.id, in: tx) else { return .never }
            return .text(version.text, version: version.version)
        }
        return try await text(source)
    }

    /// How many resources the newest durable state has.
    package func resourceCount(of ref: StackRef) async throws -> Int {
        let source = try await database.read { [self] tx in
            guard let stack = try stacks.find(ref, in: tx) else { throw ServiceError.stackNotFound(ref) }
            return try self.source(of: stack, in: tx)
        }
        switch source {
        case .never: return 0
        case .text(let text, _): return text.resourceCount
        case .journal(let base, let segments, let update):
            return try await fold(segments, over: base, of: update).resourceCount
        }
    }

    /// The newest state that an update has ended with, up to a version; nil for a stack that was never given one.
    ///
    /// - Returns: the stack, the number of the version asked for, and its text.
    /// - Throws: `.notFound` for a version that the stack does not have.
    package func settled(
        _ ref: StackRef,
        upTo number: Int? = nil
    ) async throws -> (stack: Stack, number: Int, state: StateVersion?) {
        try await database.read { [self] tx in
            guard let stack = try stacks.find(ref, in: tx) else { throw ServiceError.stackNotFound(ref) }
            let number = number ?? stack.version
            guard number <= stack.version else { throw ServiceError.versionNotFound(number) }
            return (stack, number, try versions.latest(upTo: number, of: stack.id, in: tx))
        }
    }

    /// The document of a version's text.
    package func document(of state: StateVersion) async throws -> StateDocument {
        let text = try await text(.text(state.text, version: state.version))
        return try await compute.run(deadline: Self.deadline) {
            do {
                return try StateDocument(reading: text[...])
            } catch let error as StateError {
                throw error.serviceError
            }
        }
    }

    /// The stacks that a text reads; nil when its bytes are damaged, which whoever reads the version is told.
    func references(of text: StateText, readBy stack: StackRef) async throws -> [StackRef]? {
        let bytes: [UInt8]
        do {
            bytes = try await texts.load(text)
        } catch is StateDamage {
            return nil
        }
        return try await compute.run(deadline: Self.deadline) {
            do {
                return try StateDocument(reading: bytes[...]).references(readBy: stack)
            } catch let error as StateError {
                throw error.serviceError
            }
        }
    }

    /// What the state is made of now.
    package func source(of stack: Stack, in tx: Transaction) throws -> Source {
        let base = try versions.latest(upTo: stack.version, of: stack.id, in: tx)
        let settled: Source = base.map { .text($0.text, version: $0.version) } ?? .never
        guard let running = stack.runningUpdate, let update = try updates.find(running, of: stack.id, in: tx) else {
            return settled
        }
        return try self.source(of: update, base: base?.text, settled: settled, in: tx)
    }

    /// What an update has made of the state so far.
    private func source(
        of update: Update,
        base: StateText?,
        settled: Source,
        in tx: Transaction
    ) throws -> Source {
        if update.journalVersion > 0 {
            let segments = try journal.all(of: update.id, in: tx)
            return segments.isEmpty ? settled : .journal(base: base, segments: segments, update: update)
        }
        guard let checkpoint = try versions.checkpoint(of: update.id, in: tx) else { return settled }
        return .text(checkpoint.text, version: update.version)
    }

    /// The text of a state.
    package func text(_ source: Source) async throws -> [UInt8] {
        switch source {
        case .never:
            return StateDocument.neverUpdated
        case .text(let text, let version):
            do {
                return try await texts.load(text)
            } catch is StateDamage {
                throw ServiceError.stateBroken(version)
            }
        case .journal(let base, let segments, let update):
            return try await fold(segments, over: base, of: update).text()
        }
    }

    /// Replays a journal.
    ///
    /// The same journal gives the same bytes, whenever that is done.
    package func fold(_ segments: [Segment], over base: StateText?, of update: Update) async throws -> StateDocument {
        var bodies: [[UInt8]] = []
        for segment in segments {
            if let body = segment.body {
                bodies.append(body)
            } else if let object = segment.object {
                bodies.append(try await texts.object(object))
            }
        }
        let baseText = try await base.asyncMap { try await texts.load($0) }
        let all = bodies
        return try await compute.run(deadline: Self.deadline) {
            var fold = JournalFold()
            do {
                for body in all { try fold.add(body: Self.inflated(body)[...]) }
                let document = try baseText.map { try StateDocument(reading: $0[...]) } ?? StateDocument()
                let options = FoldOptions(
                    time: update.startedAt ?? update.createdAt,
                    cliVersion: update.clientVersion,
                    command: update.kind.rawValue,
                    hash: StateHash.maker
                )
                return try fold.finish(base: document, options: options)
            } catch let error as StateError {
                throw error.serviceError
            }
        }
    }

    static func inflated(_ body: [UInt8]) throws -> [UInt8] {
        guard body.starts(with: [0x1f, 0x8b]) else { return body }
        do {
            return try Gzip.gunzip(body[...], limit: segmentLimit)
        } catch {
            throw error.serviceError
        }
    }
}

extension Optional where Wrapped: Sendable {
    fileprivate func asyncMap<T>(_ transform: (Wrapped) async throws -> T) async rethrows -> T? {
        guard let self else { return nil }
        return try await transform(self)
    }
}
