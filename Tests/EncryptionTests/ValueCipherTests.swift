import Crypto
import Encryption
import Foundation
import Kernel
import Testing

enum Stack {}
enum Other {}

/// The ids of the known answers.
let stackID = ID<Stack>("01890a5d-ac96-774b-bcce-b302099a8057") ?? ID(at: .init(seconds: 0), random: Random.bytes(10))
let keyID = DataKeyID("01890a5d-ac96-774b-bcce-b302099a8058") ?? ID(at: .init(seconds: 0), random: Random.bytes(10))

/// Long loops yield: other tests of this process play services that must answer within a second.
@Suite("Encrypted values")
struct ValueCipherTests {
    private let owner = KeyOwner("stack", stackID)
    private let keyBytes = [UInt8](100..<132)

    private func secret(_ bytes: [UInt8]) -> SecretBytes {
        var bytes = bytes
        return SecretBytes(wiping: &bytes)
    }

    private func cipher(
        id: DataKeyID = keyID,
        key: [UInt8]? = nil,
        owner: KeyOwner? = nil,
        randomBytes: @escaping @Sendable (Int) -> [UInt8] = Random.bytes
    ) -> ValueCipher {
        ValueCipher(id: id, key: secret(key ?? keyBytes), owner: owner ?? self.owner, randomBytes: randomBytes)
    }

    private func expectRefused(_ comment: Comment? = nil, _ body: () throws -> Void) {
        let error = #expect(throws: ServiceError.self, comment, performing: body)
        #expect(error?.code == .invalidArgument, comment)
        #expect(error?.message == "Message authentication failed", comment)
    }

    /// Made by `envelope.py vectors`.
    static let vectors: [(String, String)] = [
        ("", "177ffe7b74d672e7b8716b1f404524a5705e"),
        ("hunter2", "177fde563c75dad06256d79b9526bcc7c3c3119d0c987c0f2d"),
        (
            String(repeating: "a", count: 100),
            """
            177fd7423360dec331b1ebd3d2d77983702b467e49680d6b6c7a1d76bcf83f0d305b63e68bdecb16297e356d9959d25cfb039ef4\
            b0040bb818295bb7682da4cab5125731cba42b90d3b0bf692514dcd2e1a2b908eb7f0f7a4f0f651d4e077e0ecaa97f63ba350178\
            f58acde87ed752cdd8d8b14f9df0
            """
        ),
    ]

    @Test("are what another program computes", arguments: vectors)
    func knownAnswers(plaintext: String, end: String) throws {
        let start = """
            010101890a5dac96774bbcceb302099a8058000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021\
            22232425262728292a2b970cc152cbb278bd9e10a19867adecec084f77cc741869708e46495ebfff
            """
        let cipher = cipher { Array(0..<UInt8($0)) }

        let value = cipher.encrypt(Array(plaintext.utf8))

        #expect(Hex.encode(value) == start + end)
        #expect(try cipher.decrypt(value) == Array(plaintext.utf8))
    }

    @Test("come back for every length", arguments: [0, 1, 15, 16, 17, 31, 32, 33, 255, 4096, 1_000_001])
    func roundTrip(count: Int) throws {
        let plaintext = Random.bytes(count)

        let value = cipher().encrypt(plaintext)

        #expect(value.count == count + Envelope.overhead)
        #expect(try cipher().decrypt(value) == plaintext)
        #expect(try Envelope.dataKeys(of: [value]) == [keyID])
    }

    @Test("come back in order, duplicates and empty ones included")
    func batches() throws {
        let plaintexts = (0..<300).map { [UInt8](repeating: UInt8($0 % 7), count: $0 % 7) }

        let values = cipher().encrypt(plaintexts)

        #expect(values.count == plaintexts.count)
        #expect(Set(values).count == values.count)
        #expect(try ValueCipher.decrypt(values, with: [cipher()]) == plaintexts)
        #expect(cipher().encrypt([[UInt8]]()).isEmpty)
        #expect(try ValueCipher.decrypt([], with: []).isEmpty)
    }

    @Test("of several data keys are decrypted together")
    func severalKeys() throws {
        let ciphers = (0..<3).map { number in
            cipher(
                id: ID(at: .init(seconds: 9), random: .init(repeating: UInt8(number), count: 10)),
                key: Random.bytes(32)
            )
        }
        let values = (0..<30).map { ciphers[$0 % 3].encrypt([UInt8($0)]) }

        let keys = try Envelope.dataKeys(of: values)

        #expect(keys == Set(ciphers.map(\.id)))
        #expect(try ValueCipher.decrypt(values, with: ciphers) == (0..<30).map { [UInt8($0)] })
        expectRefused { _ = try ValueCipher.decrypt(values, with: Array(ciphers.dropLast())) }
    }

    @Test("are refused when any bit was changed")
    func bits() async {
        let cipher = cipher()
        let value = cipher.encrypt(Array("hunter2".utf8))

        for bit in 0..<value.count * 8 {
            var changed = value
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            expectRefused("bit \(bit)") { _ = try cipher.decrypt(changed) }
            await Task.yield()
        }
    }

    @Test("are refused when they are shorter or longer")
    func lengths() {
        let cipher = cipher()
        let value = cipher.encrypt(Array("hunter2".utf8))

        for count in 0..<value.count {
            expectRefused { _ = try cipher.decrypt(Array(value.prefix(count))) }
            expectRefused { _ = try ValueCipher.decrypt([Array(value.suffix(count))], with: [cipher]) }
        }
        expectRefused { _ = try cipher.decrypt(value + [0]) }
        for bytes in [
            [], [1], Array(value.prefix(109)), Array([2] + value.dropFirst()), Array([1, 2] + value.dropFirst(2)),
        ]
            as [[UInt8]]
        {
            expectRefused { _ = try Envelope.dataKeys(of: [value, bytes]) }
        }
    }

    @Test("of one owner, purpose, data key or key are refused for another")
    func context() throws {
        let value = cipher().encrypt(Array("hunter2".utf8))
        let otherID = ID<Stack>(at: .init(seconds: 1), random: Random.bytes(10))
        let otherKeyID = DataKeyID(at: .init(seconds: 1), random: Random.bytes(10))
        var moved = value
        moved.replaceSubrange(2..<18, with: cipher(id: otherKeyID).encrypt([1])[2..<18])

        expectRefused { _ = try cipher(owner: KeyOwner("stack", otherID)).decrypt(value) }
        expectRefused { _ = try cipher(owner: KeyOwner("environment", stackID)).decrypt(value) }
        expectRefused { _ = try cipher(id: otherKeyID).decrypt(value) }
        expectRefused { _ = try cipher(id: otherKeyID).decrypt(moved) }
        expectRefused { _ = try cipher(key: Random.bytes(32)).decrypt(value) }
        #expect(try cipher(owner: KeyOwner("stack", stackID)).decrypt(value) == Array("hunter2".utf8))
    }

    @Test("are refused under 10,000 other keys, and when the commitment is of the wrong key")
    func commitment() async {
        let value = cipher().encrypt(Array("hunter2".utf8))

        for _ in 0..<10_000 {
            let other = Random.bytes(32)
            #expect(throws: ServiceError.self) { try cipher(key: other).decrypt(value) }
            await Task.yield()
        }
        // A ciphertext under one key with the commitment of another: each of the two keys must refuse it.
        let salt = [UInt8](repeating: 5, count: 44)
        let one = cipher(key: [UInt8](repeating: 1, count: 32)) { _ in salt }
        let other = cipher(key: [UInt8](repeating: 2, count: 32)) { _ in salt }
        var mixed = one.encrypt([1])
        mixed.replaceSubrange(62..<94, with: other.encrypt([1])[62..<94])
        expectRefused { _ = try one.decrypt(mixed) }
        expectRefused { _ = try other.decrypt(mixed) }
    }

    @Test("refuse a whole batch for one that is bad", arguments: [0, 7, 19])
    func badBatch(index: Int) {
        var values = cipher().encrypt((0..<20).map { [UInt8($0)] })
        values[index][100] ^= 1

        expectRefused { _ = try ValueCipher.decrypt(values, with: [cipher()]) }
    }

    @Test("never share a salt")
    func salts() {
        let cipher = cipher()

        let values = (0..<20).flatMap { _ in cipher.encrypt([[UInt8]](repeating: [1], count: 1000)) }

        #expect(Set(values.map { Array($0[18..<50]) }).count == 20_000)
        #expect(Set(values.map { Array($0[50..<62]) }).count == 20_000)
    }

    @Test("are what a program in another language decrypts, and refuses", .enabled(if: canRunPython))
    func independent() async throws {
        let ownerHex = "05" + Hex.encode(Array("stack".utf8)) + stackID.description.filter { $0 != "-" }
        var input = ""
        var expected = ""
        for count in 0..<100 {
            let key = Random.bytes(32)
            let plaintext = Random.bytes(count)
            var value = cipher(key: key).encrypt(plaintext)
            let isBroken = count % 3 == 0
            if isBroken { value[Int.random(in: 0..<value.count)] ^= 4 }
            input += "\(Hex.encode(key)) \(ownerHex) \(Hex.encode(value))\n"
            expected += isBroken ? "refused\n" : "plain \(Hex.encode(plaintext))\n"
        }

        let output = try await withCheckedThrowingContinuation { continuation in
            let input = input
            Thread.detachNewThread { continuation.resume(with: Result { try Self.python(input) }) }
        }
        #expect(output == expected)
    }

    private static func python(_ input: String) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "python3", #filePath.replacing("EncryptionTests/ValueCipherTests.swift", with: "Counterparts/envelope.py"),
        ]
        let (stdin, stdout) = (Pipe(), Pipe())
        process.standardInput = stdin
        process.standardOutput = stdout
        try process.run()
        try stdin.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try stdin.fileHandleForWriting.close()
        let output = stdout.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: output, as: UTF8.self)
    }
}

/// Whether Python has the package that `envelope.py` needs.
private let canRunPython: Bool = {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", "-c", "import cryptography.hazmat.primitives.ciphers.aead"]
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
}()
