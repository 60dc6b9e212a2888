import StateStore
import Testing

@Suite("Order of checkpoint uploads (assertions 66, 67, 70, 71)")
struct CheckpointSequenceTests {
    typealias Request = CheckpointSequence.Request

    /// Every row of the table in `spec/cli-protocol.md` §11.4, over a text `h3` stored with number 3.
    @Test(
        "follows the table",
        arguments: [
            (.verbatim(4), .store), (.verbatim(9), .store), (.verbatim(3), .store), (.verbatim(2), .repeat),
            (.verbatim(1), .repeat),
            (.delta(3, hash: "h3"), .repeat), (.delta(4, hash: "h4"), .apply), (.delta(4, hash: "h3"), .apply),
            (.delta(2, hash: "x"), .repeat),
            (.delta(3, hash: "other"), .refuse("sequenceNumber 3 does not follow 3")),
            (.delta(5, hash: "x"), .refuse("sequenceNumber 5 does not follow 3")),
            (.delta(.max, hash: "x"), .refuse("sequenceNumber \(Int64.max) does not follow 3")),
            (.verbatim(0), .refuse("sequenceNumber must be at least 1")),
            (.delta(-1, hash: "h3"), .refuse("sequenceNumber must be at least 1")),
        ] as [(Request, CheckpointSequence.Decision)]
    )
    func table(request: Request, decision: CheckpointSequence.Decision) {
        #expect(CheckpointSequence(last: 3, textHash: "h3").decide(request) == decision)
    }

    @Test("70: the first delta of an update has no base, whatever came before it")
    func firstDelta() {
        let fresh = CheckpointSequence()

        #expect(fresh.decide(.delta(1, hash: "x")) == .refuse("this update has no text yet that a delta could change"))
        #expect(fresh.decide(.delta(2, hash: "x")) == .refuse("sequenceNumber 2 does not follow 0"))
        #expect(fresh.decide(.verbatim(1)) == .store)
        #expect(fresh.decide(.verbatim(7)) == .store)
    }

    @Test("23.5: a refused delta is followed by the whole text with the same number, and deltas go on from there")
    func fallback() {
        var sequence = CheckpointSequence()
        sequence.stored(1, textHash: "h1")
        #expect(sequence.decide(.delta(2, hash: "h2")) == .apply)
        // It failed; nothing was stored.
        #expect(sequence.decide(.verbatim(2)) == .store)
        sequence.stored(2, textHash: "h2b")

        #expect(sequence.decide(.delta(3, hash: "h3")) == .apply)
        #expect(sequence.last == 2 && sequence.textHash == "h2b")
    }

    @Test("66: a delta sent twice is applied once")
    func repeated() {
        var sequence = CheckpointSequence(last: 1, textHash: "h1")
        #expect(sequence.decide(.delta(2, hash: "h2")) == .apply)
        sequence.stored(2, textHash: "h2")

        #expect(sequence.decide(.delta(2, hash: "h2")) == .repeat)
        #expect(sequence.decide(.verbatim(2)) == .store)
    }

    @Test("71: the first text sent twice is stored twice, and a delta follows")
    func overlap() {
        var sequence = CheckpointSequence()
        sequence.stored(1, textHash: "h1")
        #expect(sequence.decide(.verbatim(1)) == .store)
        sequence.stored(1, textHash: "h1")

        #expect(sequence.decide(.delta(2, hash: "h2")) == .apply)
    }

    @Test("a text that comes back to an earlier one is no repeat")
    func backAndForth() {
        var sequence = CheckpointSequence()
        for (number, hash) in [(1, "a"), (2, "b"), (3, "a")] as [(Int64, String)] {
            #expect(sequence.decide(.delta(number, hash: hash)) != .repeat)
            sequence.stored(number, textHash: hash)
        }
    }
}
