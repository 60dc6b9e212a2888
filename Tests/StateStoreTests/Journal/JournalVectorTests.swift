import NoiseTestKit
import StateStore
import Testing

/// The worked vectors of `spec/cli-protocol.md` §23.3.
struct JournalVector: Sendable, CustomTestStringConvertible {
    var name: String
    var base: [String]
    var basePending: [String] = []
    var entries: [String]
    var result: [String]
    var pending: [String] = []
    var isSound = true

    var testDescription: String { name }

    static let all: [JournalVector] = [
        JournalVector(name: "J1", base: [], entries: j1, result: ["S@2", "A@1^S"]),
        JournalVector(name: "J1a", base: [], entries: Array(j1.prefix(4)), result: ["S@1"], pending: ["creating A"]),
        JournalVector(
            name: "J2",
            base: j2Base,
            entries: j2,
            result: ["b@1", "c@1<-b", "d@1<-c", "a", "c!del<-a,b", "e<-c"]
        ),
        JournalVector(
            name: "J2b",
            base: j2Base,
            entries: j2 + ["8 k0 op5 deleting_c", "9 k1 op5 removeOld=2"],
            result: ["b@1", "c@1<-b", "d@1<-c", "a", "e<-c"]
        ),
        JournalVector(name: "J3", base: ["S", "A"], entries: j3, result: ["S", "A!pr"]),
        JournalVector(
            name: "J3b",
            base: ["S", "A"],
            entries: j3 + ["4 k0 op2 creating_A", "5 k1 op2 state=A@1 removeOld=1"],
            result: ["A@1", "S"]
        ),
        JournalVector(name: "J4", base: j4Base, entries: j4, result: ["S", "A", "C@1"]),
        JournalVector(
            name: "J5",
            base: j4Base,
            entries: j4 + ["6 k7 op0", "7 k0 op3 deleting_C", "8 k1 op3 removeOld=2"],
            result: ["S", "A"]
        ),
        JournalVector(
            name: "J6",
            base: ["S"],
            entries: [
                "1 k6 op0", "2 k0 op1", "3 k1 op1 state=S removeOld=0", "4 k0 op2 creating_X", "5 k1 op2 state=X@1",
                "6 k0 op3 deleting_X", "7 k1 op3 removeNew=2",
            ],
            result: ["S"]
        ),
        JournalVector(
            name: "J7",
            base: ["S"],
            basePending: ["creating old", "updating old2"],
            entries: ["1 k6 op0", "2 k0 op1 creating_X", "3 k2 op1 state=X@1", "4 k0 op2 deleting_S"],
            result: ["S"],
            pending: ["deleting S", "creating old"]
        ),
        JournalVector(
            name: "J8a",
            base: ["S", "A"],
            entries: [
                "1 k0 op1", "2 k3 op1 removeOld=1 state=A@1 isRefresh", "3 k0 op2 creating_A",
                "4 k1 op2 state=A@2 deleteOld=1",
            ],
            result: ["A@2", "S", "A@1"],
            isSound: false
        ),
        JournalVector(
            name: "J8b",
            base: ["S", "A"],
            entries: [
                "1 k0 op1", "2 k3 op1 removeOld=1 state=A@1 isRefresh", "3 k0 op2 deleting_A", "4 k1 op2 removeOld=1",
            ],
            result: ["S"]
        ),
        JournalVector(
            name: "J9",
            base: ["S", "A<-Z"],
            entries: ["1 k0 op1", "2 k1 op1 state=A@1<-Z removeOld=1 isRefresh"],
            result: ["A@1", "S"]
        ),
    ]

    private static let j1 = [
        "1 k6 op0", "2 k0 op1 creating_S", "3 k1 op1 state=S@1", "4 k0 op2 creating_A", "5 k1 op2 state=A@1^S",
        "6 k4 op3 state=S@2 removeNew=1",
    ]
    private static let j2Base = ["a", "b<-a", "c<-a,b", "d<-c", "e<-c"]
    private static let j2 = [
        "1 k6 op0", "2 k0 op1", "3 k1 op1 state=b@1 removeOld=1", "4 k0 op2 creating_c",
        "5 k1 op2 state=c@1<-b deleteOld=2", "6 k0 op4 updating_d", "7 k1 op4 state=d@1<-c removeOld=3",
    ]
    private static let j3 = ["1 k6 op0", "2 k0 op1 deleting_A", "3 k1 op1 pendingReplacementOld=1"]
    private static let j4Base = ["S", "B^S", "A<-B^B", "C"]
    private static let j4 = [
        "1 k6 op0", "2 k0 op1", "3 k3 op1 removeOld=1 isRefresh", "4 k0 op2",
        "5 k3 op2 removeOld=3 state=C@1 isRefresh",
    ]
}

@Suite("Worked journals (assertion 74)")
struct JournalVectorTests {
    private func check(_ document: StateDocument, _ vector: JournalVector, _ way: String) throws {
        #expect(try JournalScript.describe(document) == vector.result, "\(vector.name), \(way)")
        #expect(try JournalScript.describePending(document) == vector.pending, "\(vector.name), \(way)")
    }

    @Test("74: give the stated result, whatever the batches and their order", arguments: JournalVector.all)
    func vectors(vector: JournalVector) throws {
        let base = JournalScript.document(vector.base, pending: vector.basePending)
        let entries = vector.entries.map(JournalScript.entry)
        let whole = try JournalScript.fold(base, batches: [entries])
        try check(whole, vector, "one batch")

        var ways = [
            "reversed in one batch": [entries.reversed()], "one by one": entries.map { [$0] },
            "each sent twice": entries.flatMap { [[$0], [$0]] },
        ]
        for seed in 0..<5 as Range<UInt64> {
            var noise = Noise(seed: seed)
            var rest = entries.shuffled(using: &noise)
            var batches: [[String]] = []
            while !rest.isEmpty {
                batches.append(Array(rest.prefix(1 + noise.below(3))))
                rest.removeFirst(batches[batches.count - 1].count)
            }
            ways["random \(seed)"] = batches
        }
        for (way, batches) in ways {
            let document = try JournalScript.fold(base, batches: batches)
            try check(document, vector, way)
            #expect(document.text() == whole.text(), "\(vector.name), \(way): the same to the byte")
        }
    }

    @Test("are sound, except the one that says so", arguments: JournalVector.all)
    func soundness(vector: JournalVector) throws {
        let base = JournalScript.document(vector.base, pending: vector.basePending)

        let document = try JournalScript.fold(base, batches: [vector.entries.map(JournalScript.entry)])

        let metadata = try Tree(parsing: document.deployment?.value("metadata") ?? [])
        #expect((metadata["integrity_error"] == nil) == vector.isSound)
        if !vector.isSound {
            #expect(metadata["integrity_error"]?["command"]?.text == "up")
            #expect(metadata["integrity_error"]?["version"]?.text == "v3.259.0")
            #expect(
                metadata["integrity_error"]?["error"]?.text == "duplicate resource A (2 of 2 not marked for deletion)"
            )
        }
    }
}
