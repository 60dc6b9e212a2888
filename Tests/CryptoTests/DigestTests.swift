import Crypto
import Testing

@Suite("SHA-256")
struct SHA256Tests {
    /// FIPS 180-4 examples and NIST's short and long messages: bytes, how often they are repeated, the digest.
    static let vectors: [([UInt8], Int, String)] = [
        ([], 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (Array("abc".utf8), 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8), 1,
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            [UInt8(ascii: "a")], 1_000_000,
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        ),
        ([0xBD], 1, "68325720aabd7c82f30f554b313d0570c95accbb7dc4b5aae11204c08ffe732b"),
    ]

    @Test("gives the published digests", arguments: vectors)
    func published(part: [UInt8], count: Int, hex: String) {
        let bytes = Array(repeatElement(part, count: count).joined())

        #expect(SHA256.hash(bytes).hex == hex)
        #expect(SHA256.hash(bytes[...]).hex == hex)
    }

    @Test("gives the same for any division into pieces", arguments: [0, 1, 55, 56, 63, 64, 65, 127, 128, 1000])
    func pieces(count: Int) {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        var hash = SHA256()

        for size in [1, 3, 64, 1001] {
            for start in stride(from: 0, to: count, by: size) {
                hash.update(bytes[start..<min(start + size, count)])
            }
            hash.update([])
            #expect(hash.finish() == SHA256.hash(bytes))
        }
    }

    @Test("hashes the UTF-8 of a text")
    func text() {
        #expect(SHA256.hash("abc") == SHA256.hash(Array("abc".utf8)))
        #expect(SHA256.hash("käse") == SHA256.hash(Array("käse".utf8)))
        #expect(SHA256.hash("") == SHA256.hash([]))
    }
}

@Suite("Digests")
struct DigestTests {
    private let digest = SHA256.hash("abc")

    @Test("are read from what they are written as")
    func roundTrip() {
        #expect(Digest(hex: digest.hex) == digest)
        #expect(Digest(hex: digest.hex.uppercased()) == digest)
        #expect(Digest(digest.bytes) == digest)
        #expect("\(digest)" == digest.hex)
    }

    @Test("are not read from anything else")
    func refuses() {
        #expect(Digest(hex: String(digest.hex.dropLast())) == nil)
        #expect(Digest(hex: digest.hex + "00") == nil)
        #expect(Digest(hex: "g" + digest.hex.dropFirst()) == nil)
        #expect(Digest(hex: "") == nil)
        #expect(Digest(digest.bytes.dropLast()) == nil)
        #expect(Digest(digest.bytes + [0]) == nil)
    }

    @Test("differ when any byte differs")
    func equality() {
        for index in 0..<32 {
            var bytes = digest.bytes
            bytes[index] ^= 1
            #expect(Digest(bytes) != digest)
        }
        #expect(Set([digest, SHA256.hash("abc"), SHA256.hash("abd")]).count == 2)
    }
}
