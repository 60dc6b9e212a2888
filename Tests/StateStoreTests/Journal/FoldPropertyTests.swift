import Foundation
import Kernel
import NoiseTestKit
import StateStore
import Testing

/// The product's fold of trees, in texts written by a random pen.
struct FoldTrial {
    var base: ArraySlice<UInt8>
    var entries: [ArraySlice<UInt8>]

    init(base: Tree, entries: [Tree], seed: UInt64) {
        var style = Tree.Style(noise: Noise(seed: seed))
        self.base = bytes(style.write(base))
        self.entries = entries.map { bytes(style.write($0)) }
    }

    static let options = FoldOptions(
        time: Timestamp(seconds: 0),
        cliVersion: "v3.274.1",
        command: "up",
        hash: TestHash.maker
    )

    /// Folds the entries as they come.
    func fold() throws -> [UInt8] {
        var fold = JournalFold()
        try fold.add(entries.map { entry throws(StateError) in try JournalEntry(entry) })
        return try fold.finish(base: StateDocument(reading: base), options: Self.options).text()
    }

    /// Folds them in a random order, in random batches, some twice.
    func foldScrambled(seed: UInt64) throws -> [UInt8] {
        var noise = Noise(seed: seed)
        var order = Array(entries.indices) + entries.indices.filter { _ in noise.oneIn(4) }
        order.shuffle(using: &noise)
        var fold = JournalFold()
        while !order.isEmpty {
            let batch = order.prefix(1 + noise.below(5))
            order.removeFirst(batch.count)
            let body = "{\"entries\":[" + batch.map { text(entries[$0]) }.joined(separator: ", ") + "]}"
            try fold.add(body: bytes(body))
        }
        return try fold.finish(base: StateDocument(reading: base), options: Self.options).text()
    }
}

@Suite("Folding random journals")
struct FoldPropertyTests {
    /// One million when `CAIRN_LONG` is set, as at a release.
    private static var count: UInt64 {
        ProcessInfo.processInfo.environment["CAIRN_LONG"] == nil ? 10_000 : 1_000_000
    }

    @Test(
        "gives what the plainly written fold gives, to the byte where nothing changed",
        arguments: 0..<8 as Range<UInt64>
    )
    func equalsNaive(slice: UInt64) throws {
        var corrupt = 0
        for seed in stride(from: slice, to: Self.count, by: 8) {
            let journal = JournalGenerator.journal(seed: seed)
            let trial = FoldTrial(base: journal.base, entries: journal.entries, seed: seed)
            guard !journal.isCorrupt else {
                corrupt += 1
                #expect(throws: StateError.self, "seed \(seed)") { try trial.fold() }
                continue
            }

            let folded = try #require(try? trial.fold(), "seed \(seed)")

            let found = try Tree(parsing: folded)
            guard Self.comparable(found) == Self.comparable(journal.expected) else {
                Issue.record(
                    "seed \(seed)\nwanted \(Self.comparable(journal.expected))\nfound  \(Self.comparable(found))"
                )
                continue
            }
            if seed % 4 == 0 {
                #expect(try trial.foldScrambled(seed: seed) == folded, "seed \(seed)")
                try checkBytes(of: folded, trial, seed)
            }
        }
        #expect(corrupt > 0)
    }

    /// Whether a state is sound is another test's subject.
    private static func comparable(_ document: Tree) -> Tree {
        var document = document
        document["deployment"]?["metadata"]?["integrity_error"] = nil
        return document
    }

    /// A resource that equals one of base or entries has that one's bytes.
    private func checkBytes(of folded: [UInt8], _ trial: FoldTrial, _ seed: UInt64) throws {
        var sources: [String: Set<ArraySlice<UInt8>>] = [:]
        var inputs = try StateDocument(reading: trial.base).deployment?.resources.map(\.bytes) ?? []
        for entry in trial.entries {
            let tree = try Tree(parsing: entry)
            if tree["state"] != nil, let state = try JournalEntry(entry).stateBytes { inputs.append(state) }
            if tree["newSnapshot"] != nil { return }
        }
        for input in inputs { sources[try Tree(parsing: input).canonical, default: []].insert(input) }
        for resource in try StateDocument(reading: folded[...]).deployment?.resources ?? [] {
            guard let texts = sources[try Tree(parsing: resource.bytes).canonical] else { continue }
            #expect(texts.contains(resource.bytes), "seed \(seed): \(text(resource.bytes))")
        }
    }
}
