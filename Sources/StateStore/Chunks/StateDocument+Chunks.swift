extension StateDocument {
    /// Cuts the document's own text (`text()`) into chunks; those of the base that were not touched are reused unread.
    ///
    /// `base` is the manifest of the version that the document's resources come from. Its chunks are taken over where a
    /// run of untouched resources is exactly one of them. The result is cut as `TextChunker` cuts the text.
    package func pieces(
        over base: Manifest? = nil,
        rules: ChunkRules = ChunkRules(),
        hash: @escaping HashMaker
    ) -> [VersionPiece] {
        var builder = ChunkBuilder(rules: rules, hash: hash)
        let reusable = base.map { ReusableChunks($0) }
        for segment in segments() {
            switch segment {
            case .envelope(let text):
                builder.envelope(text[...])
            case .resources(let list):
                Self.chunk(list, reusable, &builder)
            case .pendingOperations(let list):
                Self.chunk(list.map(\.bytes), &builder)
            }
        }
        return builder.takePieces()
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

    private static func chunk(_ list: [StateResource], _ reusable: ReusableChunks?, _ builder: inout ChunkBuilder) {
        var index = 0
        var borders = ChunkBorders(rules: builder.rules)
        var pending: [UInt8] = []
        var count = 0
        while index < list.count {
            let begins = borders.beginsChunk(list[index].bytes)
            if begins {
                builder.chunk(pending[...], resourceCount: count)
                pending = []
                count = 0
                if let chunk = reusable?.chunk(beginningAt: index, of: list) {
                    builder.reuse(chunk)
                    index += chunk.resourceCount
                    borders.reset()
                    continue
                }
            }
            pending += list[index].bytes
            count += 1
            index += 1
            if index < list.count { pending.append(UInt8(ascii: ",")) }
        }
        builder.chunk(pending[...], resourceCount: count)
    }

    private static func chunk(_ elements: [ArraySlice<UInt8>], _ builder: inout ChunkBuilder) {
        var borders = ChunkBorders(rules: builder.rules)
        var pending: [UInt8] = []
        for (index, element) in elements.enumerated() {
            if borders.beginsChunk(element) {
                builder.chunk(pending[...], resourceCount: 0)
                pending = []
            }
            pending += element
            if index + 1 < elements.count { pending.append(UInt8(ascii: ",")) }
        }
        builder.chunk(pending[...], resourceCount: 0)
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
