import NoiseTestKit
import Stacks
import Testing

@Suite("A page of events")
struct EventPageTests {
    @Test("ends with the event that makes it long, and has one however long that is")
    func endsByLength() {
        let batch = [(0, 30), (1, 30), (2, 30), (3, 500), (4, 500)].map { Self.event($0, length: $1) }

        #expect(Self.pages(of: [batch], limit: 10, bytes: 60) == [[0, 1], [2, 3], [4]])
        #expect(Self.pages(of: [batch], limit: 10, bytes: 1) == [[0], [1], [2], [3], [4]])
    }

    @Test("shows the largest number there is")
    func showsLargest() {
        var page = EventPage(after: -1, limit: 2, bytes: 1_000)
        page.take([Self.event(.max)])

        #expect(page.events.map(\.sequence) == [.max])
    }

    @Test("is whole only when no batch to come can add to it")
    func isWhole() {
        var page = EventPage(after: -1, limit: 2, bytes: 1_000)
        page.take([Self.event(0), Self.event(5)])
        let before = page.isWhole(before: 100)
        page.take([Self.event(3), Self.event(9)])

        #expect(!before)
        #expect(page.events.map(\.sequence) == [0, 3])
        #expect(!page.isWhole(before: 2) && page.isWhole(before: 3) && page.isWhole(before: 4))
    }

    @Test("follows the one before without gap or repetition, whatever batches overlap", arguments: 0..<200)
    func follows(seed: Int) {
        var random = Noise(seed: UInt64(seed))
        let batches = (0..<random.below(12)).map { _ in
            let first = random.below(60)
            return Set((0..<1 + random.below(20)).map { _ in first + random.below(40) }).sorted().map { Self.event($0) }
        }
        let all = Set(batches.joined().map { Int($0.sequence) }).sorted()

        let pages = Self.pages(of: batches, limit: 1 + random.below(9), bytes: 20 + random.below(200))

        #expect(pages.flatMap { $0 } == all)
    }

    /// The numbers of the events of each page, the batches read as the service reads them.
    private static func pages(of batches: [[EventBatch.Event]], limit: Int, bytes: Int) -> [[Int]] {
        let ordered = batches.filter { !$0.isEmpty }.sorted { $0[0].sequence < $1[0].sequence }
        var pages: [[Int]] = []
        var after: Int64 = -1
        while pages.count < 1_000 {
            var page = EventPage(after: after, limit: limit, bytes: bytes)
            for batch in ordered where !page.isWhole(before: batch[0].sequence) { page.take(batch) }
            guard let last = page.events.last else { break }
            pages.append(page.events.map { Int($0.sequence) })
            after = last.sequence
            if !page.isCut { break }
        }
        return pages
    }

    private static func event(_ number: Int, length: Int = 20) -> EventBatch.Event {
        EventBatch.Event(sequence: Int64(number), text: [UInt8](repeating: UInt8(ascii: " "), count: length))
    }
}
