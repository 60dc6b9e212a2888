/// What happened, in order: always as a hash, and as lines when a run is replayed to be read.
///
/// SAFETY: `@unchecked` because it changes; only the thread that runs the seed uses it.
final class Trace: @unchecked Sendable {
    private(set) var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    private(set) var count = 0
    private(set) var lines: [Line] = []
    let keepsLines: Bool
    /// The simulated time, for lines.
    var time: () -> Int64 = { 0 }

    struct Line {
        let text: String
        /// The stack it is about; nil for all of them.
        let stack: Int?
    }

    init(keepsLines: Bool) {
        self.keepsLines = keepsLines
    }

    /// Notes an event by numbers; the text is made only where somebody reads it.
    func note(_ kind: Int, _ first: Int = 0, _ second: Int = 0, stack: Int? = nil, _ text: @autoclosure () -> String) {
        note(kind, first, second)
        if keepsLines { lines.append(Line(text: "\(Self.seconds(time())) \(text())", stack: stack)) }
    }

    /// Notes an event that no reader needs to see.
    func note(_ kind: Int, _ first: Int, _ second: Int) {
        count += 1
        mix(UInt64(bitPattern: Int64(kind)))
        mix(UInt64(bitPattern: Int64(first)))
        mix(UInt64(bitPattern: Int64(second)))
        mix(UInt64(bitPattern: time()))
    }

    private static func seconds(_ time: Int64) -> String {
        let fraction = String(time % 1_000_000)
        return "\(time / 1_000_000).\(String(repeating: "0", count: 6 - fraction.count))\(fraction)"
    }

    /// FNV-1a with words in the place of bytes.
    private func mix(_ word: UInt64) {
        hash = (hash ^ word) &* 0x100_0000_01B3
        hash ^= hash >> 29
    }

    /// The last lines that may explain what happened to a stack: from the second last time that it was at rest.
    func suffix(for stack: Int?) -> [String] {
        guard let stack else { return lines.suffix(60).map(\.text) }
        let own = lines.filter { $0.stack == nil || $0.stack == stack }
        let rests = own.indices.filter { own[$0].text.hasSuffix("is at rest") }
        let start = rests.count > 1 ? rests[rests.count - 2] : own.startIndex
        return own[start...].map(\.text)
    }
}
