/// Where one chunk ends and the next begins: after an element whose text, hashed, falls into a share of all values.
///
/// So borders depend on what is there and not on what came before, and a change to one element leaves all chunks but
/// its own as they are. No border depends on the element behind it either: a chunk that begins where one began before
/// ends where that one ended. The share grows with the element's length, which makes chunks come out at `average` bytes
/// whatever the elements' size.
///
/// Short chunks make small updates take less of the disk, and long states more work to list: with these, chunks of 160 KB
/// on average, an update of 2 of 10,000 resources stores three of a hundred, and the manifest is 9 KB of it (ADR 10).
/// Other rules than those that cut the version before do no harm: its chunks are taken over wherever one of them begins.
package struct ChunkRules: Sendable {
    /// No border before so many bytes.
    package var minimum = 96 << 10
    /// Bytes to the next border on average, from the minimum on.
    package var average = 64 << 10
    /// A border behind the element that makes the chunk as long as that, or longer.
    package var maximum = 288 << 10
    /// Text around the lists up to this length is kept in the manifest itself.
    package var inlineLimit = 16 << 10

    package init() {}
}

/// The borders among the elements of one list, one element after the other.
struct ChunkBorders {
    let rules: ChunkRules
    private var size = 0
    private var isDue = false

    init(rules: ChunkRules) {
        self.rules = rules
    }

    /// Whether `element` begins a chunk; true for the first one.
    mutating func beginsChunk(_ element: ArraySlice<UInt8>) -> Bool {
        let begins = size == 0 || isDue
        if begins { size = 0 }
        size += element.count + 1
        let share = min(UInt64(element.count + 1), UInt64(rules.average)) &* (UInt64.max / UInt64(rules.average))
        isDue = size >= rules.maximum || (size >= rules.minimum && ElementHash.hash(element) < share)
        return begins
    }

    /// Makes the next element begin a chunk.
    mutating func reset() {
        size = 0
        isDue = false
    }
}

/// A fast hash for borders.
///
/// Its values decide which chunks are shared between versions, so it must not change; nothing is unsafe when somebody
/// finds collisions, chunks are named by their SHA-256.
enum ElementHash {
    static func hash(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        let span = bytes.span
        let raw = span.bytes
        var state: UInt64 = 0x9e37_79b9_7f4a_7c15 ^ UInt64(bytes.count)
        var index = 0
        while index &+ 8 <= span.count {
            let word = UInt64(littleEndian: raw.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self))
            state = mix(state ^ word)
            index &+= 8
        }
        var rest: UInt64 = 0
        while index < span.count {
            rest = rest << 8 | UInt64(span[index])
            index &+= 1
        }
        return mix(mix(state ^ rest) ^ 0xd6e8_feb8_6659_fd93)
    }

    /// Both halves of a product folded together.
    @inline(__always)
    private static func mix(_ value: UInt64) -> UInt64 {
        let product = value.multipliedFullWidth(by: 0xa076_1d64_78bd_642f)
        return product.high ^ product.low
    }
}
