import Encryption
import Kernel

/// Encrypts and decrypts lists of values with an opened key, large ones on a thread for such work.
struct ValueEncryption: Sendable {
    /// From this number of bytes on the work is done on a thread of its own.
    private static let large = 65_536
    private static let deadline = Duration.seconds(60)

    let compute: BlockingPool

    func encrypt(_ plaintexts: [[UInt8]], with cipher: ValueCipher) async throws -> [[UInt8]] {
        guard Self.isLarge(plaintexts) else { return cipher.encrypt(plaintexts) }
        return try await compute.run(deadline: Self.deadline) { cipher.encrypt(plaintexts) }
    }

    /// All or none.
    ///
    /// - Throws: `.invalidArgument` for values of another owner, or damaged ones.
    func decrypt(_ ciphertexts: [[UInt8]], with cipher: ValueCipher) async throws -> [[UInt8]] {
        guard Self.isLarge(ciphertexts) else { return try ValueCipher.decrypt(ciphertexts, with: [cipher]) }
        return try await compute.run(deadline: Self.deadline) {
            try ValueCipher.decrypt(ciphertexts, with: [cipher])
        }
    }

    private static func isLarge(_ values: [[UInt8]]) -> Bool {
        values.reduce(0) { $0 + $1.count } >= large
    }
}
