import Compression
import JSONScan
import Kernel
import StateStore
import Stacks

/// Two readers of gzip: whole and in pieces.
enum GzipTarget {
    @Sendable static func run(_ input: ArraySlice<UInt8>) {
        let limit = 1 << 20
        let whole = try? Gzip.gunzip(input, limit: limit)
        let step = Int(input.first ?? 0) + 1

        let pieces = inflate(input, limit: limit, step: step)
        let round = inflate(Gzip.gzip(input)[...], limit: limit, step: step)

        if let whole, let pieces { require(whole == pieces, "both readers give the same text") }
        require(round.map { $0[...] } == input, "what was compressed comes back")
    }

    private static func inflate(_ input: ArraySlice<UInt8>, limit: Int, step: Int) -> [UInt8]? {
        var inflater = Inflater(limits: .init(output: limit), window: 1 + step * 7)
        var text: [UInt8] = []
        var rest = input
        do {
            while !rest.isEmpty {
                inflater.supply(rest.prefix(step))
                rest = rest.dropFirst(step)
                while let piece = try inflater.next() { text += piece }
            }
            try inflater.finish()
            return text
        } catch {
            return nil
        }
    }
}

/// The cutter over one window, and over many.
enum ScanTarget {
    private static let roots: [Part] = [
        .document, .verbatim, .delta, .journal, .deployment, .resources, .pendingOperations, .edits, .entries,
    ]

    @Sendable static func run(_ input: ArraySlice<UInt8>) {
        guard let first = input.first else { return }
        let root = roots[Int(first) % roots.count]
        let text = input.dropFirst()
        let whole = Result { () throws(ScanError) in try Cutter.cut(text, as: root) }

        for step in [1, 3, 16] {
            let windows = Result { () throws(ScanError) in try cut(text, as: root, step: step) }
            switch (whole, windows) {
            case (.success(let whole), .success(let windows)):
                require(whole == windows, "windows change nothing")
            case (.failure(let whole), .failure(let windows)):
                require(whole == windows, "windows change no refusal")
            default:
                require(false, "windows do not decide")
            }
        }
    }

    private static func cut(_ text: ArraySlice<UInt8>, as root: Part, step: Int) throws(ScanError) -> [Cut] {
        var cutter = Cutter(root)
        var cuts: [Cut] = []
        var rest = text
        while !rest.isEmpty {
            try cutter.feed(rest.prefix(step), into: &cuts)
            rest = rest.dropFirst(step)
        }
        try cutter.finish()
        return cuts
    }
}

/// A delta, a byte 0, and the text that it changes.
enum DeltaTarget {
    @Sendable static func run(_ input: ArraySlice<UInt8>) {
        let parts = input.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let delta = try? CheckpointDelta(body: parts[0]) else { return }
        let middle = parts[1].startIndex + parts[1].count / 2

        let whole = try? delta.edited(PiecedText([parts[1]]))
        let pieces = try? delta.edited(PiecedText([parts[1][..<middle], parts[1][middle...]]))

        require(whole?.joined() == pieces?.joined(), "where the text is cut changes nothing")
    }
}

/// Batches of a journal, separated by a byte 0, over a small state.
enum FoldTarget {
    private static let base: StateDocument? = try? StateDocument(
        reading: Array(
            #"""
            {"version":3,"deployment":{"manifest":{"time":"","magic":"","version":""},"resources":[\#
            {"urn":"urn:pulumi:s::p::t::a","custom":false,"type":"t"},\#
            {"urn":"urn:pulumi:s::p::t::b","custom":false,"type":"t","dependencies":["urn:pulumi:s::p::t::a"]}]}}
            """#.utf8
        )[...]
    )

    @Sendable static func run(_ input: ArraySlice<UInt8>) {
        guard let base else { return require(false, "the base is a state") }
        let batches = input.split(separator: 0)
        let result = fold(batches, over: base)

        require(result == fold(batches, over: base), "the same entries give the same bytes")
        require(result == fold(batches + batches, over: base), "repeated entries change nothing")
        if let result {
            require((try? StateDocument(reading: result[...])) != nil, "the result is a state")
        }
    }

    private static func fold(_ batches: [ArraySlice<UInt8>], over base: StateDocument) -> [UInt8]? {
        var journal = JournalFold()
        for batch in batches { _ = try? journal.add(body: batch) }
        let options = FoldOptions(time: Timestamp(seconds: 0), hash: StateHash.maker)
        return try? journal.finish(base: base, options: options).text()
    }
}
