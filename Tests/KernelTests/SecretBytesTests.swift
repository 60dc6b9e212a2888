import Kernel
import Testing

@Suite("Secret bytes")
struct SecretBytesTests {
    private struct Failure: Error {}

    @Test("hold what they were given and wipe where it was", arguments: [0, 1, 32, 4096, 10_000])
    func holds(count: Int) {
        let original = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        var source = original
        let address = source.withUnsafeBytes { $0.baseAddress }

        let secret = SecretBytes(wiping: &source)

        #expect(source.isEmpty)
        #expect(secret.count == count)
        #expect(secret.withUnsafeBytes { Array($0) } == original)
        #expect(count == 0 || secret.withUnsafeBytes { $0.baseAddress } != address)
    }

    @Test("do not show what they hold")
    func hidden() {
        var source = Array("hunter2".utf8)
        let secret = SecretBytes(wiping: &source)
        var dumped = ""

        dump(secret, to: &dumped)

        #expect("\(secret)" == "[redacted]")
        #expect(!dumped.contains("104") && !dumped.contains("storage"))
    }

    @Test("begin as zeroes, and are given back when they could not be filled")
    func fill() {
        let zeroes = SecretBytes(count: 40) { _ in }

        #expect(zeroes.withUnsafeBytes { $0.allSatisfy { $0 == 0 } })
        #expect(throws: Failure.self) { try SecretBytes(count: 40) { _ in throw Failure() } }
    }

    @Test("are wiped in place")
    func wipe() {
        var bytes = [UInt8](repeating: 7, count: 100)

        bytes.withUnsafeMutableBytes { SecretBytes.wipe($0) }

        #expect(bytes == [UInt8](repeating: 0, count: 100))
    }
}
