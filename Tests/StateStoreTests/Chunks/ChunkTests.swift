import Compression
import JSONScan
import NoiseTestKit
import StateStore
import Testing

@Suite("Chunks of a state")
struct ChunkTests {
    private static func rules(_ scale: Int) -> ChunkRules {
        var rules = ChunkRules()
        rules.minimum = 64 * scale
        rules.average = 192 * scale
        rules.maximum = 512 * scale
        rules.inlineLimit = 200
        return rules
    }

    private static let small = rules(8)

    /// A document of `count` resources of different lengths; `changed` ones have another value.
    private func document(_ count: Int, changed: Set<Int> = [], pending: Int = 0, spacing: String = "") -> String {
        var noise = Noise(seed: 7)
        let resources = (0..<count).map { index -> String in
            let filler = String(repeating: "x", count: noise.below(160))
            let value = changed.contains(index) ? "changed" : "same"
            return #"{"urn":"r\#(index)","type":"t","outputs":{"v":"\#(value)","f":"\#(filler)\#(noise.next())"}}"#
        }
        let operations = (0..<pending).map { #"{"resource":{"urn":"p\#($0)"},"type":"creating"}"# }
        let separator = spacing + "," + spacing
        return
            #"{"version":3,"deployment":{"manifest":{},"resources":[\#(spacing)\#(resources.joined(separator: separator))\#(spacing)],"#
            + #""pending_operations":[\#(operations.joined(separator: separator))],"metadata":{}}}"#
    }

    private func chunked(_ source: String, step: Int = .max, over base: Assembled? = nil) throws -> Assembled {
        var cutter = Cutter(.document)
        var survey = DocumentSurvey()
        var chunker = TextChunker(rules: Self.small, hash: TestHash.maker)
        var pieces: [VersionPiece] = []
        let text = bytes(source)
        var index = 0
        while index < text.count {
            let end = step < text.count - index ? index + step : text.count
            var cuts: [Cut] = []
            try cutter.feed(text[index..<end], into: &cuts)
            for cut in cuts { try survey.take(cut) }
            pieces += chunker.feed(text[index..<end], cuts: cuts)
            index = end
        }
        try cutter.finish()
        return Assembled(pieces + chunker.finish(), try survey.finish().summary, over: base)
    }

    private func chunked(
        _ document: StateDocument,
        over base: Assembled? = nil,
        rules: ChunkRules = small
    ) -> Assembled {
        let drafts = document.drafts(over: base?.manifest, rules: rules)
        let pieces = drafts.compactMap { $0.piece(rules: rules, hash: TestHash.maker) }
        return Assembled(pieces, document.summary, over: base)
    }

    @Test("laid end to end are the text, byte for byte", arguments: [0, 1, 3, 40, 400], ["", " ", "\n\t "])
    func reassembly(count: Int, spacing: String) throws {
        let source = document(count, pending: count / 10, spacing: spacing)

        let assembled = try chunked(source)
        let manifest = assembled.manifest

        #expect(try assembled.text() == Array(source.utf8))
        #expect(manifest.textCount == source.utf8.count)
        #expect(manifest.summary.resourceCount == count && manifest.summary.pendingOperationCount == count / 10)
        #expect(manifest.chunks.reduce(0) { $0 + $1.resourceCount } == count)
    }

    @Test("do not depend on windows", arguments: [1, 50, 1_000])
    func windows(step: Int) throws {
        let source = document(120, pending: 5)

        #expect(try chunked(source, step: step).manifest == chunked(source).manifest)
    }

    @Test("of a fold's result are those of its text")
    func sameFromBoth() throws {
        let source = document(300, pending: 7).replacing(
            #""metadata":{}"#,
            with: #""metadata":{"long":"\#(String(repeating: "m", count: 300))"}"#
        )
        let read = try StateDocument(reading: bytes(source))

        let text = String(decoding: read.text(), as: UTF8.self)

        #expect(try chunked(text).manifest == chunked(read).manifest)
    }

    @Test("have sizes within the rules")
    func sizes() throws {
        let manifest = try chunked(document(3_000)).manifest
        let counts = manifest.chunks.map(\.textCount)
        let average = counts.reduce(0, +) / counts.count

        #expect(counts.allSatisfy { $0 <= Self.small.maximum + 300 })
        #expect(counts.dropLast().allSatisfy { $0 >= Self.small.minimum })
        #expect((Self.small.minimum...Self.small.maximum).contains(average))
    }

    @Test("a resource longer than a chunk ends its chunk")
    func longResource() throws {
        let long = #"{"urn":"a","x":"\#(String(repeating: "y", count: 20_000))"}"#
        let source = #"{"version":3,"deployment":{"resources":[{"urn":"0"},\#(long),{"urn":"1"}]}}"#

        let assembled = try chunked(source)

        #expect(assembled.manifest.chunks.map(\.resourceCount) == [2, 1])
        #expect(try assembled.text() == Array(source.utf8))
    }

    @Test("are shared when a few resources change in place", arguments: [[10], [700, 2_000], [0, 2_999]])
    func stability(changed: [Int]) throws {
        let before = try chunked(document(3_000)).manifest
        let after = try chunked(document(3_000, changed: Set(changed))).manifest

        #expect(before.chunks.count > 100)
        #expect(after.hashes(notIn: before).count <= 2 * changed.count)
    }

    @Test("are shared when a journal moves two changed resources to the front")
    func afterFold() throws {
        let base = document(3_000)
        let before = try chunked(base)
        let entries = [
            "1 k0 op1", "2 k1 op1 state=r700@1 removeOld=700", "3 k0 op2", "4 k1 op2 state=r2000@1 removeOld=2000",
        ].map(JournalScript.entry)
        let folded = try JournalScript.fold(base, batches: [entries])

        let plain = chunked(folded)
        let reusing = chunked(folded, over: before)

        #expect(reusing.manifest.chunks.map(\.hash) == plain.manifest.chunks.map(\.hash), "reuse changes only the work")
        #expect(try reusing.text() == folded.text())
        #expect(plain.manifest.hashes(notIn: before.manifest).count <= 4)
        #expect(reusing.made == plain.manifest.hashes(notIn: before.manifest), "nothing else is made")
    }

    @Test("that an older release cut longer are taken over, but for those that changed and a few beside them")
    func otherRules() throws {
        let base = try StateDocument(reading: bytes(document(3_000)))
        var longer = Self.small
        longer.minimum += longer.minimum / 3
        longer.average += longer.average / 2
        longer.maximum += longer.maximum / 3
        let before = chunked(base, rules: longer)
        let entries = ["1 k0 op1", "2 k1 op1 state=r700@1 removeOld=700"].map(JournalScript.entry)
        let folded = try JournalScript.fold(document(3_000), batches: [entries])

        let after = chunked(folded, over: before)

        #expect(after.made.count <= before.manifest.chunks.count / 10)
        #expect(try after.text() == folded.text())
    }

    @Test("of a text over a base are taken over where the base has the same")
    func textOverBase() throws {
        let before = try chunked(document(3_000))
        let source = document(3_000, changed: [10, 1_500])

        let after = try chunked(source, over: before)

        #expect(after.made.count <= 2)
        #expect(after.made == after.manifest.hashes(notIn: before.manifest))
        #expect(try after.text() == Array(source.utf8))
        #expect(after.manifest.packs == [Manifest.Place.ownPack, 1])
    }

    @Test("with white space between resources are never mistaken for compact ones")
    func noFalseReuse() throws {
        let base = document(500, spacing: " ")
        let before = try chunked(base)
        let folded = try JournalScript.fold(base, batches: [])

        #expect(try chunked(folded, over: before).text() == folded.text())
    }

    @Test("of random journals, with reuse, are the folded text")
    func randomReuse() throws {
        for seed in 0..<200 as Range<UInt64> {
            let journal = JournalGenerator.journal(seed: seed)
            guard !journal.isCorrupt else { continue }
            let trial = FoldTrial(base: .null, entries: journal.entries, seed: seed)
            var tiny = Self.rules(1)
            tiny.minimum = 50
            tiny.average = 300
            let base = try StateDocument(reading: bytes(journal.base.canonical))
            let before = chunked(base, rules: tiny)
            var fold = JournalFold()
            try fold.add(trial.entries.map { entry throws(StateError) in try JournalEntry(entry) })
            let folded = try fold.finish(base: StateDocument(reading: base.text()[...]), options: FoldTrial.options)

            #expect(try chunked(folded, over: before, rules: tiny).text() == folded.text(), "seed \(seed)")
        }
    }

    @Test("as they are stored join into a gzip member of the text")
    func gzip() throws {
        let source = document(400, pending: 3)
        let assembled = try chunked(source)
        var join = GzipJoin()
        var member = GzipJoin.header
        for part in assembled.manifest.parts {
            let run: DeflateRun =
                switch part {
                case .inline(let bytes): DeflateRun(compressing: bytes[...], .fast)
                case .chunk(let chunk): try assembled.run(of: chunk)
                }
            member += run.bytes
            join.append(crc: run.crc, textCount: run.textCount)
        }

        #expect(try Gzip.gunzip((member + join.trailer)[...], limit: 1 << 20) == Array(source.utf8))
    }

    @Test("read by themselves come to the document of the text", arguments: [0, 1, 40, 400], ["", " ", "\n\t "])
    func document(count: Int, spacing: String) throws {
        let source = document(count, pending: count / 10, spacing: spacing)
        let assembled = try chunked(source)

        let parts = try assembled.manifest.parts.map { part in
            switch part {
            case .inline(let text): ReadPart.text(text[...])
            case .chunk(let chunk): try ReadPart(chunk, text: assembled.run(of: chunk).text()[...])
            }
        }
        let document = try StateDocument(parts)

        let whole = try StateDocument(reading: bytes(source))
        #expect(document.text() == whole.text())
        #expect(document.content == whole.content)
        // Untouched resources are known as those of the base, so that their chunks are taken over.
        #expect(chunked(document, over: assembled).made == chunked(whole, over: assembled).made)
    }

    @Test("name their place and the hash of what is stored there")
    func places() throws {
        let assembled = try chunked(document(300))
        var offset = 0
        for chunk in assembled.manifest.chunks {
            let stored = assembled.packs[Manifest.Place.ownPack]?[chunk.place.offset..<(offset + chunk.place.count)]
            var hash = TestHash()
            hash.update(try #require(stored))

            #expect(chunk.place.pack == Manifest.Place.ownPack && chunk.place.offset == offset)
            #expect(chunk.place.digest == hash.finalize())
            offset += chunk.place.count
        }
        #expect(assembled.packs[Manifest.Place.ownPack]?.count == offset)
    }

    @Test("of what is no state are refused")
    func refused() throws {
        #expect(throws: StateError.self) { try chunked(#"{"version":3}"#) }
        #expect(throws: StateError.self) { try chunked(#"{"version":3,"deployment":{"resources":[1]}}"#) }
    }
}

@Suite("Stored manifests")
struct ManifestCodingTests {
    private func manifest(_ seed: UInt64) -> Manifest {
        var noise = Noise(seed: seed)
        var summary = DocumentSummary()
        summary.version = 1 + noise.below(4)
        summary.features = (0..<noise.below(4)).map { "feature\($0)é" }
        summary.hasDeployment = noise.oneIn(2)
        summary.resourceCount = noise.below(1 << 40)
        summary.pendingOperationCount = noise.below(300)
        let parts = (0..<noise.below(20)).map { _ -> Manifest.Part in
            if noise.oneIn(2) { return .inline((0..<noise.below(300)).map { _ in UInt8(noise.below(256)) }) }
            let hash = (0..<32).map { _ in UInt8(noise.below(256)) }
            return .chunk(
                Manifest.Chunk(
                    hash: hash,
                    textCount: noise.below(1 << 30),
                    crc: UInt32(truncatingIfNeeded: noise.next()),
                    resourceCount: noise.below(1 << 20),
                    place: Manifest.Place(
                        pack: noise.below(1 << 20) - 1,
                        offset: noise.below(1 << 40),
                        count: noise.below(1 << 20),
                        digest: (0..<32).map { _ in UInt8(noise.below(256)) }
                    )
                )
            )
        }
        return Manifest(summary: summary, parts: parts)
    }

    private let row = Array("a row".utf8)

    @Test("of another row are refused, unless they are from before rows were covered")
    func otherRow() throws {
        let encoded = manifest(5).encoded(for: row)
        var first = encoded.dropLast(4)
        first[2] = 1
        let crc = CRC32.checksum(first)
        let unbound = first + (0..<4).map { UInt8(truncatingIfNeeded: crc >> ($0 * 8)) }

        #expect(throws: ManifestError.unreadable) { try Manifest(decoding: encoded[...], of: Array("another".utf8)) }
        #expect(throws: ManifestError.unreadable) { try Manifest(decoding: encoded[...], of: []) }
        #expect(try Manifest(decoding: unbound[...], of: row) == manifest(5))
    }

    @Test("read back as they were")
    func roundTrip() throws {
        for seed in 0..<200 as Range<UInt64> {
            #expect(
                try Manifest(decoding: manifest(seed).encoded(for: row)[...], of: row) == manifest(seed),
                "seed \(seed)"
            )
        }
    }

    @Test("have one form, which later releases must read")
    func golden() throws {
        var summary = DocumentSummary()
        summary.version = 3
        summary.features = ["a"]
        summary.hasDeployment = true
        summary.resourceCount = 300
        let chunk = Manifest.Chunk(
            hash: [UInt8](repeating: 0xab, count: 32),
            textCount: 128,
            crc: 1,
            resourceCount: 300,
            place: Manifest.Place(pack: -1, offset: 300, count: 1, digest: [UInt8](repeating: 0xcd, count: 32))
        )
        let encoded = Manifest(summary: summary, parts: [.inline([0x7b]), .chunk(chunk)]).encoded(for: row)

        let hash = String(repeating: "ab", count: 32)
        #expect(
            Hexadecimal.encode(encoded.dropLast(4)) == "434d02" + "03" + "010161" + "01" + "ac02" + "00" + "02"
                + "00017b" + "0120" + hash + "8001" + "01" + "ac02"
                + "00" + "ac02" + "01" + "20" + String(repeating: "cd", count: 32)
        )
        #expect(
            CRC32.checksum(encoded.dropLast(4) + row) == encoded.suffix(4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
        )
    }

    @Test("give their number to the chunks they brought, and leave the others")
    func numbered() {
        let manifest = manifest(3)
        let packs = manifest.chunks.map(\.place.pack)
        var own = manifest
        own.parts = manifest.parts.map { part in
            guard case .chunk(var chunk) = part, chunk.place.pack == packs.first else { return part }
            chunk.place.pack = Manifest.Place.ownPack
            return .chunk(chunk)
        }

        #expect(packs.count > 1)
        #expect(own.numbered(7).chunks.map(\.place.pack) == packs.map { $0 == packs.first ? 7 : $0 })
    }

    @Test("are refused when damaged anywhere, cut off or continued")
    func damaged() {
        let encoded = manifest(5).encoded(for: row)
        for index in encoded.indices {
            var damaged = encoded
            damaged[index] ^= 0x41
            #expect(throws: ManifestError.unreadable) { try Manifest(decoding: damaged[...], of: row) }
        }
        for count in 0..<encoded.count {
            #expect(throws: ManifestError.unreadable) { try Manifest(decoding: encoded[..<count], of: row) }
        }
        #expect(throws: ManifestError.unreadable) { try Manifest(decoding: (encoded + [0])[...], of: row) }
    }

    @Test("with a right checksum but wrong content are refused without harm")
    func hostile() {
        for seed in 0..<2_000 as Range<UInt64> {
            var noise = Noise(seed: seed)
            var body = Array(manifest(seed % 50).encoded(for: row).dropLast(4))
            for _ in 0..<(1 + noise.below(3)) { body[3 + noise.below(body.count - 3)] = UInt8(noise.below(256)) }
            let crc = CRC32.checksum((body + row)[...])
            let bytes = body + (0..<4).map { UInt8(truncatingIfNeeded: crc >> ($0 * 8)) }
            // Either it is refused or it is another manifest; it must not trap or allocate by a made-up count.
            let decoded = try? Manifest(decoding: bytes[...], of: row)
            #expect(decoded == nil || decoded?.parts.count ?? 0 <= bytes.count)
        }
    }
}
