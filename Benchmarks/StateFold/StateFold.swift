import Compression
import Crypto
import Kernel
import ObjectStorage
import StateStore
import Stacks

/// Folds journals over stored states of 10,000 and 100,000 resources, in process: what `complete` does before anything is stored.
///
/// Prints one line of JSON for each journal: how many resources there are, how many it changes, and the median milliseconds of the fold
/// (reading and checking the stored base, inflating and reading the batches, replaying them) and of storing its result.
@main
struct StateFold {
    private static let sizes = [(resources: 10_000, repetitions: 9), (100_000, 3)]

    static func main() async throws {
        guard CommandLine.arguments.count == 2 else { throw ServiceError.invalid("arguments", "are a folder") }
        let files = FolderObjectStore.makePool()
        let compute = BlockingPool(name: "compute", threads: 2, heavyThreads: 2, queue: 1024)
        let store = try FolderObjectStore(path: CommandLine.arguments[1], setting: "folder", pool: files)
        // Time and randomness of its own: nothing here depends on either.
        let effects = Effects(now: { Timestamp(seconds: 0) }, randomBytes: { Random.bytes($0) })
        let objects = StateObjects(objects: store, effects: effects)
        let bench = Bench(
            compute: compute,
            writer: VersionWriter(objects: objects, compute: compute),
            reader: VersionReader(objects: objects, compute: compute),
            stack: effects.id()
        )
        for (resources, repetitions) in sizes {
            let base = try await bench.base(resources)
            for changed in [resources, 2] {
                let (fold, stored) = try await bench.run(changed, of: resources, over: base, repetitions)
                print(
                    #"{"resources":\#(resources),"changed":\#(changed),"fold_ms":\#(fold),"store_ms":\#(stored)}"#
                )
            }
        }
        compute.stop()
        files.stop()
    }
}

private struct Bench {
    let compute: BlockingPool
    let writer: VersionWriter
    let reader: VersionReader
    let stack: StackID

    func base(_ count: Int) async throws -> StoredVersion {
        let list = (0..<count).map { Self.resource($0, version: 0) }.joined(separator: ",")
        let text =
            #"{"version":3,"deployment":{"manifest":{"time":"","magic":"","version":""},"resources":[\#(list)]}}"#
        let prepared = try await writer.write([ArraySlice(text.utf8)], over: nil, of: stack)
        return prepared.first(at: Timestamp(seconds: 0))
    }

    /// - Returns: median milliseconds of the fold, and of storing its result.
    func run(
        _ changed: Int,
        of count: Int,
        over base: StoredVersion,
        _ repetitions: Int
    ) async throws -> (fold: Double, store: Double) {
        let batches = Self.batches(changed, of: count)
        let clock = ContinuousClock()
        var folds: [Duration] = []
        var stores: [Duration] = []
        for _ in 0..<repetitions {
            let start = clock.now
            let entries = try await compute.map(batches, deadline: .seconds(60)) { batch in
                try JournalEntry.stored(Gzip.gunzip(batch.body[...], limit: 1 << 24)[...], count: batch.count)
            }
            let document = try await reader.document(of: base)
            let folded = try await compute.run(deadline: .seconds(60)) {
                var fold = JournalFold()
                for batch in entries { try fold.add(batch) }
                let options = FoldOptions(time: Timestamp(seconds: 0), hash: StateHash.maker)
                return try fold.finish(base: document, options: options)
            }
            folds.append(start.duration(to: clock.now))
            let middle = clock.now
            _ = try await writer.write(folded, over: base.version, of: stack)
            stores.append(middle.duration(to: clock.now))
        }
        return (Self.median(folds), Self.median(stores))
    }

    /// The journal of an update that changes resources far from each other, in batches of 100 entries.
    private static func batches(_ changed: Int, of count: Int) -> [(body: [UInt8], count: Int)] {
        var entries: [String] = []
        for number in 0..<changed {
            let index = number * (count / changed)
            let id = number + 1
            entries.append(#"{"version":1,"kind":0,"sequenceID":\#(2 * id - 1),"operationID":\#(id)}"#)
            entries.append(
                """
                {"version":1,"kind":1,"sequenceID":\(2 * id),"operationID":\(id),"removeOld":\(index),\
                "state":\(resource(index, version: 1))}
                """
            )
        }
        return stride(from: 0, to: entries.count, by: 100).map { start in
            let batch = entries[start..<min(start + 100, entries.count)]
            let body = #"{"entries":[\#(batch.joined(separator: ","))]}"#
            return (Gzip.gzip(Array(body.utf8)[...], level: 6), batch.count)
        }
    }

    /// About 1.6 KB, which compress to a third.
    private static func resource(_ index: Int, version: Int) -> String {
        var seed = UInt64(index * 2 + version) &* 0x9e37_79b9_7f4a_7c15 | 1
        let properties = (0..<18).map { number -> String in
            seed ^= seed << 13
            seed ^= seed >> 7
            seed ^= seed << 17
            return #""property\#(number)":"a value of some length \#(String(seed, radix: 36))""#
        }
        return """
            {"urn":"urn:pulumi:dev::bench::aws:s3/bucket:Bucket::resource\(index)","custom":true,"id":"id-\(index)",\
            "type":"aws:s3/bucket:Bucket","inputs":{\(properties.prefix(9).joined(separator: ","))},\
            "outputs":{\(properties.joined(separator: ","))}}
            """
    }

    private static func median(_ times: [Duration]) -> Double {
        let middle = times.sorted()[times.count / 2]
        return Double(Int(middle / .microseconds(10))) / 100
    }
}
