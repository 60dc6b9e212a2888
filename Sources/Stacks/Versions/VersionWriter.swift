import Compression
package import Kernel
package import StateStore

/// Makes durable versions of texts: chunks that a version before has are taken over unread, the others are compressed
/// and laid into one pack.
///
/// What is written is nobody's version until a row names it.
package struct VersionWriter: Sendable {
    private static let deadline = Duration.seconds(60)
    /// Up to so much new text is compressed tightly; more of it fast.
    private static let tightLimit = 1 << 20

    private let objects: StateObjects
    private let compute: BlockingPool

    package init(objects: StateObjects, compute: BlockingPool) {
        self.objects = objects
        self.compute = compute
    }

    /// Writes a document that was made from a base.
    package func write(
        _ document: StateDocument,
        over base: StateVersion?,
        of stack: StackID
    ) async throws -> PreparedVersion {
        let weight = WorkWeight(bytes: document.listByteCount)
        let (drafts, content) = try await compute.run(weight, deadline: Self.deadline) {
            (document.drafts(over: base?.manifest), document.content)
        }
        let pieces = try await compute.map(drafts, weight: weight, deadline: Self.deadline) {
            $0.piece(hash: StateHash.maker)
        }
        var builder = ManifestBuilder(over: base?.manifest)
        let resolved = builder.resolved(pieces.compactMap { $0 })
        let bytes = builder.add(resolved, packed: try await compress(resolved, weight))
        return PreparedVersion(
            manifest: builder.finish(content.summary),
            pack: try await store(bytes, of: stack),
            stackReferenceNames: content.stackReferenceNames
        )
    }

    /// Writes a text that arrives in pieces; memory does not grow with it.
    ///
    /// - Parameters:
    ///   - body: the bytes, gzip or plain.
    ///   - framed: where in the inflated bytes the text is; nil when it is all of them.
    ///   - base: a version whose chunks may be taken over.
    ///   - names: see `DocumentSurvey`.
    /// - Throws: `.invalidArgument` for what is no state; `StateDamage` when it is not the text that `framed` tells.
    package func write<Body: AsyncSequence>(
        _ body: Body,
        framed: FramedText? = nil,
        over base: StateVersion?,
        of stack: StackID,
        importedInto names: [StackNames]? = nil
    ) async throws -> PreparedVersion where Body.Element == ArraySlice<UInt8> {
        let assembly = VersionAssembly(over: base?.manifest, frame: framed, importedInto: names)
        do {
            let source = PackSequence(body: body, assembly: assembly, writer: self)
            let pack = try await store(source, of: stack)
            let (manifest, content) = try assembly.result()
            return PreparedVersion(manifest: manifest, pack: pack, stackReferenceNames: content.stackReferenceNames)
        } catch let error as StateError {
            throw error.serviceError
        }
    }

    /// Writes a text that is all at hand.
    package func write(
        _ text: [ArraySlice<UInt8>],
        over base: StateVersion?,
        of stack: StackID,
        importedInto names: [StackNames]? = nil
    ) async throws -> PreparedVersion {
        try await write(AsyncPieces(text), over: base, of: stack, importedInto: names)
    }

    // MARK: - Packs

    /// Stores what arrives in pieces: in the row if it is small, nowhere if it is nothing.
    private func store<Pack: AsyncSequence>(_ pack: Pack, of stack: StackID) async throws -> StoredBytes?
    where Pack.Element == [UInt8] {
        var pieces = pack.makeAsyncIterator()
        var first: [UInt8] = []
        while first.count <= objects.rowLimit {
            guard let piece = try await pieces.next(isolation: #isolation) else {
                return first.isEmpty ? nil : .row(first)
            }
            first += piece
        }
        return try await object(Continued(first: first, rest: pieces), of: stack)
    }

    private func store(_ bytes: [UInt8], of stack: StackID) async throws -> StoredBytes? {
        guard bytes.count > objects.rowLimit else { return bytes.isEmpty ? nil : .row(bytes) }
        return try await object(AsyncPieces([bytes]), of: stack)
    }

    private func object<Pack: AsyncSequence>(_ pack: Pack, of stack: StackID) async throws -> StoredBytes
    where Pack.Element == [UInt8] {
        try Failpoint.reach(.packStore)
        return .object(try await objects.put(pack, of: stack))
    }

    /// Compresses the new chunks among pieces.
    fileprivate func compress(_ pieces: [VersionPiece], _ weight: WorkWeight) async throws -> [PackedChunk] {
        let chunks = pieces.compactMap { piece in
            if case .new(let chunk) = piece { chunk } else { nil }
        }
        guard !chunks.isEmpty else { return [] }
        let effort: DeflateRun.Effort = chunks.reduce(0) { $0 + $1.text.count } <= Self.tightLimit ? .tight : .fast
        return try await compute.map(chunks, weight: weight, deadline: Self.deadline) { chunk in
            PackedChunk(chunk, effort, hash: StateHash.maker)
        }
    }

    fileprivate func run<T: Sendable>(
        _ weight: WorkWeight,
        _ work: @escaping @Sendable () throws -> T
    ) async throws -> T {
        try await compute.run(weight, deadline: Self.deadline, work)
    }
}

/// The pack of a text that arrives in pieces, made while it arrives.
private struct PackSequence<Body: AsyncSequence>: AsyncSequence where Body.Element == ArraySlice<UInt8> {
    /// So many bytes are handed to another thread together.
    private static var share: Int { 1 << 18 }

    let body: Body
    let assembly: VersionAssembly
    let writer: VersionWriter

    struct AsyncIterator: AsyncIteratorProtocol {
        var body: Body.AsyncIterator
        let assembly: VersionAssembly
        let writer: VersionWriter
        var hasEnded = false
        /// Heavy from the first full share on: there is more to come.
        var weight = WorkWeight.light

        mutating func next() async throws -> [UInt8]? {
            while !hasEnded {
                let share = try await nextShare()
                hasEnded = share.isEmpty
                let isLast = hasEnded
                let pieces = try await writer.run(weight) { [assembly] in
                    isLast ? try assembly.finish() : try assembly.feed(share)
                }
                let bytes = assembly.add(pieces, packed: try await writer.compress(pieces, weight))
                if !bytes.isEmpty { return bytes }
            }
            return nil
        }

        /// Empty at the end of the body.
        private mutating func nextShare() async throws -> [ArraySlice<UInt8>] {
            var share: [ArraySlice<UInt8>] = []
            var count = 0
            while count < PackSequence.share, let piece = try await body.next(isolation: #isolation) {
                if piece.isEmpty { continue }
                share.append(piece)
                count += piece.count
            }
            if count >= PackSequence.share { weight = .heavy }
            return share
        }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(body: body.makeAsyncIterator(), assembly: assembly, writer: writer)
    }
}
