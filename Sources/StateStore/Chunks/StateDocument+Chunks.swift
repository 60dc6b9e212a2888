/// A stretch of a document's text whose borders are known.
///
/// Laying its text end to end and hashing it is what takes time, so it is done on threads for it, side by side.
package enum DraftPiece: Sendable {
    /// Text around the lists.
    case envelope([UInt8])
    /// A chunk of the base.
    case known(Manifest.Chunk)
    /// Neighbours in a list, how many resources they are, and whether the list ends with them: if not, a comma follows.
    case elements(ArraySlice<ArraySlice<UInt8>>, resourceCount: Int, endsList: Bool)

    /// The piece; none where there is no text.
    package func piece(rules: ChunkRules = ChunkRules(), hash: @escaping HashMaker) -> VersionPiece? {
        var builder = ChunkBuilder(rules: rules, hash: hash)
        switch self {
        case .envelope(let text):
            builder.envelope(text[...])
        case .known(let chunk):
            builder.reuse(chunk)
        case .elements(let elements, let resourceCount, let endsList):
            var text: [UInt8] = []
            text.reserveCapacity(elements.reduce(elements.count) { $0 + $1.count })
            for element in elements {
                text += element
                text.append(UInt8(ascii: ","))
            }
            builder.chunk(endsList ? text.dropLast() : text[...], resourceCount: resourceCount)
        }
        return builder.takePieces().first
    }
}

extension StateDocument {
    /// Cuts the document's own text (`text()`) into chunks; those of the base that were not touched are reused unread.
    ///
    /// `base` is the manifest of the version that the document's resources come from. Its chunks are taken over where a
    /// run of untouched resources is exactly one of them. The result is cut as `TextChunker` cuts the text.
    package func drafts(over base: Manifest? = nil, rules: ChunkRules = ChunkRules()) -> [DraftPiece] {
        let reusable = base.map { ReusableChunks($0) }
        return segments().flatMap { segment -> [DraftPiece] in
            switch segment {
            case .envelope(let text):
                [.envelope(text)]
            case .resources(let list):
                Self.drafts(of: list.map(\.bytes), areResources: true, rules) {
                    reusable?.chunk(beginningAt: $0, of: list)
                }
            case .pendingOperations(let list):
                Self.drafts(of: list.map(\.bytes), areResources: false, rules) { _ in nil }
            }
        }
    }

    /// What a manifest says of the document.
    package var summary: DocumentSummary {
        var summary = DocumentSummary()
        summary.version = version
        summary.features = features
        summary.hasDeployment = deployment != nil
        summary.resourceCount = resourceCount
        summary.pendingOperationCount = deployment?.pendingOperations.count ?? 0
        return summary
    }

    /// - Parameter reuse: the chunk of the base that is exactly the elements from an index on.
    private static func drafts(
        of elements: [ArraySlice<UInt8>],
        areResources: Bool,
        _ rules: ChunkRules,
        reuse: (Int) -> Manifest.Chunk?
    ) -> [DraftPiece] {
        var drafts: [DraftPiece] = []
        var borders = ChunkBorders(rules: rules)
        var start = 0
        func endChunk(before index: Int) {
            defer { start = index }
            guard start < index else { return }
            drafts.append(
                .elements(
                    elements[start..<index],
                    resourceCount: areResources ? index - start : 0,
                    endsList: index == elements.count
                )
            )
        }
        var index = 0
        while index < elements.count {
            if borders.beginsChunk(elements[index]) {
                endChunk(before: index)
                if let chunk = reuse(index) {
                    drafts.append(.known(chunk))
                    index += chunk.resourceCount
                    start = index
                    borders.reset()
                    continue
                }
            }
            index += 1
        }
        endChunk(before: index)
        return drafts
    }
}

/// The resource chunks of a base, by the index of their first resource.
private struct ReusableChunks {
    private var chunks: [Int: Manifest.Chunk] = [:]
    private var total = 0

    init(_ manifest: Manifest) {
        for chunk in manifest.chunks where chunk.resourceCount > 0 {
            chunks[total] = chunk
            total += chunk.resourceCount
        }
    }

    /// The base's chunk that is exactly the resources of `list` from `index` on, with its commas; nil if there is none.
    func chunk(beginningAt index: Int, of list: [StateResource]) -> Manifest.Chunk? {
        guard let origin = list[index].origin, let chunk = chunks[origin] else { return nil }
        let end = index + chunk.resourceCount
        // The last chunk of a list has no comma at its end.
        guard end <= list.count, (end == list.count) == (origin + chunk.resourceCount == total) else { return nil }
        var textCount = chunk.resourceCount - (end == list.count ? 1 : 0)
        for offset in 0..<chunk.resourceCount {
            guard list[index + offset].origin == origin + offset else { return nil }
            textCount += list[index + offset].bytes.count
        }
        // White space between resources would make the stored text another one than ours.
        return textCount == chunk.textCount ? chunk : nil
    }
}
