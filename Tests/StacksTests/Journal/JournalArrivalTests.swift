import APITestKit
import TestKit
import Testing

@Suite("Entries of a journal, however they arrive")
struct JournalArrivalTests {
    @Test("74, 23.3: give the stated result", arguments: Vector.all, Arrival.allCases)
    func vectors(vector: Vector, arrival: Arrival) async throws {
        try await withStackServer(.sqlite) { server in
            try await server.createStack("acme/site/dev")
            if !vector.base.isEmpty { try await server.importState(vector.base, into: "acme/site/dev") }
            let update = try await server.update(journal: 2)
            let batches = arrival.batches(of: vector.entries)

            let statuses: [Int]
            if arrival == .parallel {
                statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                    for batch in batches { group.addTask { try await update.journal(batch).status } }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
            } else {
                var answers: [Int] = []
                for batch in batches { answers.append(try await update.journal(batch).status) }
                statuses = answers
            }
            let during = try await server.resources()
            let ended = try await update.complete()

            #expect(statuses.allSatisfy { $0 == 204 }, "\(statuses)")
            #expect(during == vector.result)
            #expect(ended.status == 204)
            #expect(try await server.resources() == vector.result)
        }
    }

    /// How the entries of a journal reach the server.
    enum Arrival: CaseIterable, Sendable {
        case oneBatch, reversed, oneByOne, twice, parallel, mixed

        func batches(of entries: [String]) -> [[String]] {
            switch self {
            case .oneBatch: [entries]
            case .reversed: [entries.reversed()]
            case .oneByOne: entries.map { [$0] }
            case .twice: entries.flatMap { [[$0], [$0]] }
            case .parallel: (entries + entries).map { [$0] }
            case .mixed:
                // Every third entry, so that the ranges of the batches interleave.
                (0..<3).map { offset in entries.enumerated().filter { $0.offset % 3 == offset }.map(\.element) }
                    .filter { !$0.isEmpty }
            }
        }
    }

    /// Worked vectors of `spec/cli-protocol.md` §23.3; `StateStoreTests` folds all of them without a server.
    struct Vector: Sendable, CustomTestStringConvertible {
        let name: String
        let base: [String]
        let entries: [String]
        let result: [String]

        var testDescription: String { name }

        static let all = [
            Vector(
                name: "J1",
                base: [],
                entries: [Journal.provider] + Journal.create(2, 1, "S") + Journal.create(4, 2, "A")
                    + [Journal.entry(6, kind: 4, 3, new: 1, state: Journal.resource("S", 2))],
                result: ["S@2", "A@1"]
            ),
            Vector(
                name: "J2b",
                base: [
                    Journal.resource("a"), Journal.resource("b", 0, #""dependencies":["a"]"#),
                    Journal.resource("c", 0, #""dependencies":["a","b"]"#),
                    Journal.resource("d", 0, #""dependencies":["c"]"#),
                    Journal.resource("e", 0, #""dependencies":["c"]"#),
                ],
                entries: [
                    Journal.provider, Journal.entry(2, kind: 0, 1),
                    Journal.entry(3, kind: 1, 1, old: 1, state: Journal.resource("b", 1)),
                    Journal.entry(4, kind: 0, 2, Journal.pending("creating", "c")),
                    Journal.entry(
                        5,
                        kind: 1,
                        2,
                        state: Journal.resource("c", 1, #""dependencies":["b"]"#),
                        #""deleteOld":2"#
                    ),
                    Journal.entry(6, kind: 0, 4, Journal.pending("updating", "d")),
                    Journal.entry(
                        7,
                        kind: 1,
                        4,
                        old: 3,
                        state: Journal.resource("d", 1, #""dependencies":["c"]"#)
                    ),
                    Journal.entry(8, kind: 0, 5, Journal.pending("deleting", "c")),
                    Journal.entry(9, kind: 1, 5, old: 2),
                ],
                result: ["b@1", "c@1<-b", "d@1<-c", "a", "e<-c"]
            ),
            Vector(
                name: "J3",
                base: [Journal.resource("S"), Journal.resource("A")],
                entries: [
                    Journal.provider, Journal.entry(2, kind: 0, 1, Journal.pending("deleting", "A")),
                    Journal.entry(3, kind: 1, 1, #""pendingReplacementOld":1"#),
                ],
                result: ["S", "A!pr"]
            ),
            Vector(
                name: "J5",
                base: [
                    Journal.resource("S"), Journal.resource("B", 0, #""parent":"S""#),
                    Journal.resource("A", 0, #""parent":"B","dependencies":["B"]"#), Journal.resource("C"),
                ],
                entries: [
                    Journal.provider, Journal.entry(2, kind: 0, 1),
                    Journal.entry(3, kind: 3, 1, old: 1, #""isRefresh":true"#), Journal.entry(4, kind: 0, 2),
                    Journal.entry(5, kind: 3, 2, old: 3, state: Journal.resource("C", 1), #""isRefresh":true"#),
                    Journal.entry(6, kind: 7), Journal.entry(7, kind: 0, 3, Journal.pending("deleting", "C")),
                    Journal.entry(8, kind: 1, 3, old: 2),
                ],
                result: ["S", "A"]
            ),
            Vector(
                name: "J7",
                base: [Journal.resource("S")],
                entries: [
                    Journal.provider, Journal.entry(2, kind: 0, 1, Journal.pending("creating", "X")),
                    Journal.entry(3, kind: 2, 1, state: Journal.resource("X", 1)),
                    Journal.entry(4, kind: 0, 2, Journal.pending("deleting", "S")),
                ],
                result: ["S", "deleting S"]
            ),
        ]
    }
}
