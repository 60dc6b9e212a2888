import Crypto
import Testing

/// The examples of the standards; hundreds of forged signatures are in the tests of `Identity`.
@Suite("Public keys")
struct PublicKeyTests {
    @Test("take the signature of RFC 7515 A.3 for its text only")
    func checksCurve() throws {
        let x = try #require(Base64.decode("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", .url))
        let y = try #require(Base64.decode("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0", .url))
        let text = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQog"
        let message = Array("\(text)Imh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ".utf8)
        let letters = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
        let signature = try #require(Base64.decode(letters, .url))
        let key = try #require(PublicKey(p256: x, y))

        #expect(key.isSignature(signature, of: message, by: .es256))
        #expect(!key.isSignature(signature, of: message + [0], by: .es256))
        #expect(!key.isSignature(signature + [0], of: message, by: .es256))
        #expect(!key.isSignature([], of: message, by: .es256))
        for other in SignatureAlgorithm.allCases where other != .es256 {
            #expect(!key.isSignature(signature, of: message, by: other), "\(other)")
        }
    }

    @Test("take the signature of RFC 8037 A.4 for its text only")
    func checksEdwards() throws {
        let x = try #require(Base64.decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", .url))
        let message = Array("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc".utf8)
        let letters = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
        let signature = try #require(Base64.decode(letters, .url))
        let key = try #require(PublicKey(ed25519: x))

        #expect(key.isSignature(signature, of: message, by: .edDSA))
        #expect(!key.isSignature(signature, of: [], by: .edDSA))
        #expect(!key.isSignature(signature, of: message, by: .es256))
    }

    @Test("are none for numbers that cannot be one")
    func refusesNumbers() {
        let modulus = [UInt8](repeating: 0xFF, count: 256)
        let three: [UInt8] = [3]

        #expect(PublicKey(rsaModulus: modulus, exponent: [1, 0, 1]) != nil)
        #expect(PublicKey(rsaModulus: modulus, exponent: three) != nil)
        for exponent: [UInt8] in [[], [0], [1], [2], [0, 0, 1], [1, 0, 0, 0, 1]] {
            #expect(PublicKey(rsaModulus: modulus, exponent: exponent) == nil, "\(exponent)")
        }
        for count in [0, 1, 128, 255, 1026, 4096] {
            let other = [UInt8](repeating: 0xFF, count: count)
            #expect(PublicKey(rsaModulus: other, exponent: three) == nil, "\(count)")
        }
        #expect(PublicKey(rsaModulus: [UInt8](repeating: 0, count: 200) + modulus.prefix(128), exponent: three) == nil)
        #expect(PublicKey(p256: modulus.prefix(32) + [], modulus.prefix(32) + []) == nil)
        #expect(PublicKey(p256: [1], [2]) == nil)
        #expect(PublicKey(p384: [UInt8](repeating: 1, count: 48), [UInt8](repeating: 2, count: 48)) == nil)
        #expect(PublicKey(ed25519: [1, 2, 3]) == nil)
    }
}
