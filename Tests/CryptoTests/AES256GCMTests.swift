import Crypto
import Kernel
import Testing

@Suite("AES-256-GCM")
struct AES256GCMTests {
    /// One test case of the GCM specification (McGrew and Viega, appendix B); all in hexadecimal.
    struct Vector: Sendable {
        var key: String
        var nonce: String
        var context = ""
        var plaintext = ""
        var ciphertext = ""
        var tag: String
    }

    private static let zeroKey = String(repeating: "0", count: 64)
    private static let key = String(repeating: "feffe9928665731c6d6a8f9467308308", count: 2)
    private static let plaintext = """
        d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525\
        b16aedf5aa0de657ba637b391aafd255
        """
    private static let ciphertext = """
        522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838\
        c5f61e6393ba7a0abcc9f662898015ad
        """

    static let vectors = [
        Vector(key: zeroKey, nonce: "000000000000000000000000", tag: "530f8afbc74536b9a963b4f1c4cb738b"),
        Vector(
            key: zeroKey,
            nonce: "000000000000000000000000",
            plaintext: "00000000000000000000000000000000",
            ciphertext: "cea7403d4d606b6e074ec5d3baf39d18",
            tag: "d0d1c8a799996bf0265b98b5d48ab919"
        ),
        Vector(
            key: key,
            nonce: "cafebabefacedbaddecaf888",
            plaintext: plaintext,
            ciphertext: ciphertext,
            tag: "b094dac5d93471bdec1a502270e3cc6c"
        ),
        Vector(
            key: key,
            nonce: "cafebabefacedbaddecaf888",
            context: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
            plaintext: String(plaintext.prefix(120)),
            ciphertext: String(ciphertext.prefix(120)),
            tag: "76fc6ece0f4e1768cddf8853bb2d551b"
        ),
    ]

    @Test("seals and opens as published", arguments: vectors)
    func published(vector: Vector) throws {
        let (key, nonce, context) = try parts(of: vector)
        let plaintext = try bytes(vector.plaintext)

        let sealed = AES256GCM.seal(plaintext, key: key, nonce: nonce, context: context)
        let opened = AES256GCM.open(sealed, key: key, nonce: nonce, context: context)

        #expect(Hex.encode(sealed) == vector.ciphertext + vector.tag)
        #expect(opened.map { $0.withUnsafeBytes { Array($0) } } == plaintext)
    }

    @Test("opens nothing of which a single bit was changed", arguments: vectors)
    func changedBits(vector: Vector) throws {
        let (key, nonce, context) = try parts(of: vector)
        let sealed = try bytes(vector.ciphertext + vector.tag)
        let keyBytes = try bytes(vector.key)

        for bit in 0..<sealed.count * 8 {
            #expect(AES256GCM.open(flipped(sealed, bit), key: key, nonce: nonce, context: context) == nil)
        }
        for bit in 0..<nonce.count * 8 {
            #expect(AES256GCM.open(sealed, key: key, nonce: flipped(nonce, bit), context: context) == nil)
        }
        for bit in 0..<context.count * 8 {
            #expect(AES256GCM.open(sealed, key: key, nonce: nonce, context: flipped(context, bit)) == nil)
        }
        for bit in 0..<256 {
            var other = flipped(keyBytes, bit)
            #expect(AES256GCM.open(sealed, key: SecretBytes(wiping: &other), nonce: nonce, context: context) == nil)
        }
    }

    @Test("opens nothing that is shorter, longer, or has parts in another place")
    func changedShape() throws {
        let (key, nonce, context) = try parts(of: Self.vectors[3])
        let sealed = try bytes(Self.vectors[3].ciphertext + Self.vectors[3].tag)

        for count in 0..<sealed.count {
            #expect(AES256GCM.open(Array(sealed.prefix(count)), key: key, nonce: nonce, context: context) == nil)
            #expect(AES256GCM.open(Array(sealed.suffix(count)), key: key, nonce: nonce, context: context) == nil)
        }
        #expect(AES256GCM.open(sealed + [0], key: key, nonce: nonce, context: context) == nil)
        #expect(AES256GCM.open([0] + sealed, key: key, nonce: nonce, context: context) == nil)
        #expect(AES256GCM.open(sealed, key: key, nonce: nonce, context: []) == nil)
        #expect(AES256GCM.open(sealed, key: key, nonce: nonce, context: context + [0]) == nil)
        #expect(AES256GCM.open(sealed, key: key, nonce: Array(nonce.dropLast()), context: context) == nil)
        #expect(AES256GCM.open(sealed, key: key, nonce: nonce + [0], context: context) == nil)
    }

    @Test("leaves zeroes where a plaintext failed its check, and works on afterwards")
    func wipesOutput() throws {
        var cipher = AES256GCM()
        let key = [UInt8](repeating: 1, count: 32)
        let nonce = [UInt8](repeating: 2, count: 12)
        let plaintext = [UInt8](repeating: 3, count: 100)
        var sealed = [UInt8](repeating: 0, count: 116)
        var opened = [UInt8](repeating: 9, count: 100)

        seal(&cipher, plaintext, key, nonce, into: &sealed)
        var broken = sealed
        broken[115] ^= 1
        let brokenIsGenuine = open(&cipher, broken, key, nonce, into: &opened)
        let zeroed = opened
        let isGenuine = open(&cipher, sealed, key, nonce, into: &opened)

        #expect(!brokenIsGenuine)
        #expect(zeroed == [UInt8](repeating: 0, count: 100))
        #expect(isGenuine)
        #expect(opened == plaintext)
    }

    @Test("takes every length around a block", arguments: Array(0...40) + [255, 256, 257, 65_535, 1_048_577])
    func lengths(count: Int) {
        let key = Random.key()
        let nonce = Random.bytes(12)
        let plaintext = Random.bytes(count)

        let sealed = AES256GCM.seal(plaintext, key: key, nonce: nonce, context: [1])
        let opened = AES256GCM.open(sealed, key: key, nonce: nonce, context: [1])

        #expect(sealed.count == count + 16)
        #expect(opened.map { $0.withUnsafeBytes { Array($0) } } == plaintext)
    }

    private func parts(of vector: Vector) throws -> (SecretBytes, [UInt8], [UInt8]) {
        var key = try bytes(vector.key)
        return (SecretBytes(wiping: &key), try bytes(vector.nonce), try bytes(vector.context))
    }

    private func bytes(_ hex: String) throws -> [UInt8] {
        try #require(Hex.decode(hex))
    }

    private func flipped(_ bytes: [UInt8], _ bit: Int) -> [UInt8] {
        var bytes = bytes
        bytes[bit / 8] ^= 1 << UInt8(bit % 8)
        return bytes
    }

    private func seal(
        _ cipher: inout AES256GCM,
        _ plaintext: [UInt8],
        _ key: [UInt8],
        _ nonce: [UInt8],
        into output: inout [UInt8]
    ) {
        output.withUnsafeMutableBytes { output in
            plaintext.withUnsafeBytes { plaintext in
                key.withUnsafeBytes { key in
                    nonce.withUnsafeBytes { nonce in
                        cipher.seal(plaintext, key: key, nonce: nonce, context: nonce, into: output)
                    }
                }
            }
        }
    }

    private func open(
        _ cipher: inout AES256GCM,
        _ sealed: [UInt8],
        _ key: [UInt8],
        _ nonce: [UInt8],
        into output: inout [UInt8]
    ) -> Bool {
        output.withUnsafeMutableBytes { output in
            sealed.withUnsafeBytes { sealed in
                key.withUnsafeBytes { key in
                    nonce.withUnsafeBytes { nonce in
                        cipher.open(sealed, key: key, nonce: nonce, context: nonce, into: output)
                    }
                }
            }
        }
    }
}
