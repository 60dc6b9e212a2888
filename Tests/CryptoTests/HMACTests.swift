import Crypto
import Kernel
import Testing

@Suite("HMAC-SHA-256")
struct HMACTests {
    /// RFC 4231, test cases 1 to 4, 6 and 7: key, message, code.
    static let vectors: [([UInt8], [UInt8], String)] = [
        (
            .init(repeating: 0x0B, count: 20), Array("Hi There".utf8),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        (
            .init(repeating: 0xAA, count: 20), .init(repeating: 0xDD, count: 50),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
        ),
        (
            Array(1...25), .init(repeating: 0xCD, count: 50),
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"
        ),
        (
            .init(repeating: 0xAA, count: 131), Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
        (
            .init(repeating: 0xAA, count: 131),
            Array(
                """
                This is a test using a larger than block-size key and a larger than block-size data. \
                The key needs to be hashed before being used by the HMAC algorithm.
                """.utf8
            ),
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
        ),
        ([], [], "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"),
    ]

    @Test("gives the published codes", arguments: vectors)
    func published(key: [UInt8], message: [UInt8], hex: String) {
        #expect(HMAC.code(of: message, key: key).hex == hex)
    }

    @Test("gives the same in pieces, again and again under one key", arguments: vectors)
    func pieces(key: [UInt8], message: [UInt8], hex: String) {
        var code = HMAC(key: key)

        for _ in 0..<3 {
            for byte in message { code.update([byte]) }
            #expect(code.finish().hex == hex)
        }
    }

    @Test("takes a key that is kept secret")
    func secretKey() {
        var key = Array("Jefe".utf8)
        var code = HMAC(key: SecretBytes(wiping: &key))

        code.update(Array("what do ya want for nothing?".utf8))

        #expect(key.isEmpty)
        #expect(code.finish().hex == Self.vectors[1].2)
    }
}

@Suite("HKDF-SHA-256")
struct HKDFTests {
    /// One test case of RFC 5869, appendix A.
    struct Vector: Sendable {
        var secret: [UInt8]
        var salt: [UInt8]
        var info: [UInt8]
        var output: String
    }

    static let vectors = [
        Vector(
            secret: .init(repeating: 0x0B, count: 22),
            salt: Array(0...12),
            info: Array(0xF0...0xF9),
            output: "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
        ),
        Vector(
            secret: Array(0...0x4F),
            salt: Array(0x60...0xAF),
            info: Array(0xB0...0xFF),
            output: """
                b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09\
                da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87
                """
        ),
        Vector(
            secret: .init(repeating: 0x0B, count: 22),
            salt: [],
            info: [],
            output: "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
        ),
    ]

    @Test("gives the published keys", arguments: vectors)
    func published(vector: Vector) {
        #expect(Hex.encode(derive(vector, count: vector.output.utf8.count / 2)) == vector.output)
    }

    @Test("gives the beginning of the same bytes for every length", arguments: [0, 1, 31, 32, 33, 64, 65, 8160])
    func lengths(count: Int) {
        let longest = derive(Self.vectors[1], count: HKDF.longestOutput)

        #expect(derive(Self.vectors[1], count: count) == Array(longest.prefix(count)))
    }

    @Test("separates purposes and salts")
    func separates() {
        var bytes = [UInt8](repeating: 7, count: 32)
        let secret = SecretBytes(wiping: &bytes)

        let key = HKDF.key(from: secret, salt: [1], info: "a")

        #expect(ConstantTime.equal(key, HKDF.key(from: secret, salt: [1], info: "a")))
        #expect(!ConstantTime.equal(key, HKDF.key(from: secret, salt: [1], info: "b")))
        #expect(!ConstantTime.equal(key, HKDF.key(from: secret, salt: [2], info: "a")))
        #expect(key.count == 32)
    }

    private func derive(_ vector: Vector, count: Int) -> [UInt8] {
        var derivation = HKDF()
        var output = [UInt8](repeating: 0, count: count)
        output.withUnsafeMutableBytes { output in
            vector.secret.withUnsafeBytes { secret in
                vector.salt.withUnsafeBytes { salt in
                    vector.info.withUnsafeBytes { info in
                        derivation.derive(secret: secret, salt: salt, info: info, into: output)
                    }
                }
            }
        }
        return output
    }
}
