import Crypto
import Kernel
import Testing

@Suite("Comparison in constant time")
struct ConstantTimeTests {
    @Test(
        "is comparison",
        arguments: [
            ([], [], true), ([1], [1], true), ([1], [2], false), ([1], [], false), ([], [1], false),
            ([1, 2, 3], [1, 2, 3], true), ([1, 2, 3], [1, 2, 4], false), ([1, 2, 3], [0, 2, 3], false),
            ([1, 2], [1, 2, 3], false),
        ] as [([UInt8], [UInt8], Bool)]
    )
    func compares(left: [UInt8], right: [UInt8], isEqual: Bool) {
        var (first, second) = (left, right)

        #expect(ConstantTime.equal(left, right) == isEqual)
        #expect(ConstantTime.equal(SecretBytes(wiping: &first), SecretBytes(wiping: &second)) == isEqual)
    }

    @Test("takes texts and digests")
    func kinds() {
        #expect(ConstantTime.equal("pul-1", "pul-1"))
        #expect(!ConstantTime.equal("pul-1", "pul-2"))
        #expect(ConstantTime.equal(SHA256.hash("a"), SHA256.hash("a")))
        #expect(!ConstantTime.equal(SHA256.hash("a"), SHA256.hash("b")))
    }
}

@Suite("Random bytes")
struct RandomTests {
    @Test("come in any number", arguments: [0, 1, 32, 1_048_575, 1_048_577, 3_000_000])
    func numbers(count: Int) {
        let bytes = Random.bytes(count)

        #expect(bytes.count == count)
        if count > 1000 { #expect(Set(bytes.suffix(1000)).count > 200) }
    }

    @Test("differ from call to call")
    func differ() {
        #expect(Set((0..<1000).map { _ in Random.bytes(16) }).count == 1000)
        #expect(!ConstantTime.equal(Random.key(), Random.key()))
    }

    @Test("of a stuck source are noticed")
    func stuck() {
        var count: UInt8 = 0
        let counting = { (size: Int) -> [UInt8] in
            count += 1
            return [UInt8](repeating: count, count: size)
        }

        #expect(Random.isAlive(Random.bytes))
        #expect(!Random.isAlive { [UInt8](repeating: 0, count: $0) })
        #expect(!Random.isAlive { Array((0..<$0).map { UInt8(truncatingIfNeeded: $0) }) })
        #expect(!Random.isAlive(counting))
        #expect(!Random.isAlive { _ in [] })
    }
}
