import Crypto
import Foundation
import Kernel
import Testing

/// What is encrypted here is decrypted by the openssl program, which shares no code of ours.
@Suite("Encryption for the holder of an RSA key")
struct RSAEncryptionTests {
    private let folder = NSTemporaryDirectory() + "cairn-rsa-\(UUID().uuidString)"

    private func openssl(_ arguments: [String]) throws -> [UInt8] {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "openssl \(arguments)")
        return Array(bytes)
    }

    @Test("is RSA-OAEP with SHA-256, for keys of every size that is taken", arguments: [2048, 3072])
    func encrypts(bits: Int) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        _ = try openssl(["genrsa", "-out", "\(folder)/key.pem", "\(bits)"])
        let text = String(
            decoding: try openssl(["rsa", "-in", "\(folder)/key.pem", "-noout", "-modulus"]),
            as: UTF8.self
        )
        let digits = text.trimmingCharacters(in: .whitespacesAndNewlines).replacing("Modulus=", with: "").lowercased()
        let modulus = try #require(Hex.decode(digits))
        let key = try #require(PublicKey(rsaModulus: modulus, exponent: [1, 0, 1]))

        for count in [0, 1, 32, bits / 8 - 66] {
            let secret = Random.key(count)
            let ciphertext = try #require(key.encrypt(secret))

            #expect(ciphertext.count == bits / 8)
            #expect(key.encrypt(secret) != ciphertext)
            try Data(ciphertext).write(to: URL(fileURLWithPath: "\(folder)/ciphertext"))
            let opened = try openssl([
                "pkeyutl", "-decrypt", "-inkey", "\(folder)/key.pem", "-in", "\(folder)/ciphertext",
                "-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha256", "-pkeyopt", "rsa_mgf1_md:sha256",
            ])
            #expect(secret.withUnsafeBytes { Array($0) } == opened)
        }
        #expect(key.encrypt(Random.key(bits / 8 - 65)) == nil)
    }

    @Test("is not done with keys of another kind")
    func otherKinds() throws {
        let key = try #require(PublicKey(ed25519: [UInt8](repeating: 0, count: 32)))

        #expect(key.encrypt(Random.key()) == nil)
    }
}
