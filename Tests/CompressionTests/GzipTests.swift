import Compression
import NoiseTestKit
import Testing

@Suite("Gzip as a whole")
struct GzipTests {
    @Test("gives the text back at every level", arguments: 1...12)
    func roundTrip(level: Int) throws {
        for count in [0, 1, 300, 100_000] {
            let text = Noise.text(count, seed: UInt64(level))

            #expect(try Gzip.gunzip(Gzip.gzip(text[...], level: level)[...], limit: count) == text)
        }
    }

    @Test("reads several members, small and large")
    func members() throws {
        let parts = [Noise.text(10, seed: 1), Noise.text(200_000, seed: 2), [], Noise.text(10, seed: 3)]

        #expect(try Gzip.gunzip(parts.flatMap { Gzip.gzip($0[...]) }[...], limit: 300_000) == parts.flatMap { $0 })
    }

    @Test("reads a slice that begins anywhere")
    func slice() throws {
        let input = [1, 2, 3] + Gzip.gzip(Array("text".utf8)[...])

        #expect(try Gzip.gunzip(input[3...], limit: 4) == Array("text".utf8))
    }

    @Test("refuses what is not gzip, cut off, or followed by something")
    func corrupt() {
        let whole = Gzip.gzip(Noise.text(1_000, seed: 1)[...])
        for bytes in [[], Array("plain".utf8), Array(whole.dropLast()), whole + [0], whole + whole.dropLast(3)] {
            #expect(throws: CompressionError.corrupt) { try Gzip.gunzip(bytes[...], limit: 100_000) }
        }
    }

    @Test("refuses more than the limit, over all members together")
    func tooLarge() {
        let whole = Gzip.gzip(Noise.text(1_000, seed: 1)[...])

        #expect(throws: CompressionError.tooLarge) { try Gzip.gunzip(whole[...], limit: 999) }
        #expect(throws: CompressionError.tooLarge) { try Gzip.gunzip((whole + whole)[...], limit: 1_999) }
        #expect(throws: Never.self) { try Gzip.gunzip((whole + whole)[...], limit: 2_000) }
    }

    @Test("is not led astray by the announced length")
    func announcedLength() {
        var whole = Gzip.gzip(Noise.text(100_000, seed: 1)[...])
        for value in [0x00, 0xff] as [UInt8] {
            whole.replaceSubrange((whole.count - 4)..., with: [value, value, value, value])

            #expect(throws: CompressionError.corrupt) { try Gzip.gunzip(whole[...], limit: 1_000_000) }
        }
    }
}

@Suite("Runs of deflate")
struct DeflateRunTests {
    @Test("join into one member that any reader takes", arguments: DeflateRun.Effort.allCases)
    func joins(effort: DeflateRun.Effort) throws {
        let texts = [
            Noise.text(50_000, seed: 1), [], Noise.bytes(3_000, seed: 2), [65], Noise.text(262_144, seed: 3),
            [UInt8](repeating: 32, count: 10_000),
        ]
        var join = GzipJoin()
        var member = GzipJoin.header
        for text in texts {
            let run = DeflateRun(compressing: text[...], effort)
            #expect(try run.text() == text)
            member += run.bytes
            join.append(crc: run.crc, textCount: run.textCount)
        }
        member += join.trailer

        let whole = texts.flatMap { $0 }
        #expect(try Gzip.gunzip(member[...], limit: whole.count) == whole)
        var inflater = Inflater(limits: .init(output: whole.count))
        var streamed: [UInt8] = []
        inflater.supply(member[...])
        while let piece = try inflater.next() { streamed += piece }
        try inflater.finish()
        #expect(streamed == whole)
    }

    @Test("join for every length of text, so that all bit positions of the last block occur")
    func allLengths() throws {
        let text = Noise.text(400, seed: 8)
        for count in 0...400 {
            let run = DeflateRun(compressing: text[..<count], count % 2 == 0 ? .fast : .tight)
            var join = GzipJoin()
            join.append(crc: run.crc, textCount: run.textCount)
            join.append(crc: run.crc, textCount: run.textCount)
            let member = GzipJoin.header + run.bytes + run.bytes + join.trailer

            #expect(
                try Gzip.gunzip(member[...], limit: 800) == Array(text[..<count] + text[..<count]),
                "\(count) bytes"
            )
        }
    }

    @Test("make a valid member out of nothing")
    func empty() throws {
        #expect(try Gzip.gunzip((GzipJoin.header + GzipJoin().trailer)[...], limit: 0).isEmpty)
    }

    @Test("are refused when damaged")
    func damaged() {
        var run = DeflateRun(compressing: Noise.text(1_000, seed: 1)[...], .fast)
        run.crc ^= 1
        #expect(throws: CompressionError.corrupt) { try run.text() }
        run.crc ^= 1
        run.textCount -= 1
        #expect(throws: CompressionError.corrupt) { try run.text() }
    }
}
