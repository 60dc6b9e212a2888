/// Numbers that look random and are the same in every run (SplitMix64), for tests of every module.
package struct Noise: RandomNumberGenerator {
    private var state: UInt64

    package init(seed: UInt64) {
        state = seed
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }

    /// A number from 0 to `count - 1`.
    package mutating func below(_ count: Int) -> Int {
        Int(next() % UInt64(count))
    }

    /// True once in `count` times.
    package mutating func oneIn(_ count: Int) -> Bool {
        below(count) == 0
    }

    /// One of a list, which is not empty.
    package mutating func pick<Element>(_ list: [Element]) -> Element {
        list[below(list.count)]
    }
}
