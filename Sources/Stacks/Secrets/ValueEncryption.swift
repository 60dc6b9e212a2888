import Encryption
import Kernel

/// Encrypts and decrypts lists of values with an opened key, large ones on a thread for such work.
struct ValueEncryption: Sendable {
    /// From this number of bytes on the work is done on a thread of its own.
    private static let large = 65_536
    private static let deadline = Duration.seconds(60)

    let compute: BlockingPool

    func encrypt(_ plaintexts: [[UInt8]], with cipher: ValueCipher) async throws -> [[UInt8]] {
        let count = Self.byteCount(plaintexts)
        guard count >= Self.large else { return cipher.encrypt(plaintexts) }
        return try await compute.run(WorkWeight(bytes: count), deadline: Self.deadline) { cipher.encrypt(plaintexts) }
    }

    /// All or none.
    ///
    /// - Throws: `.invalidArgument` for values of another owner, or damaged ones; it says which one of several.
    func decrypt(_ ciphertexts: [[UInt8]], with cipher: ValueCipher) async throws -> [[UInt8]] {
        let count = Self.byteCount(ciphertexts)
        guard count >= Self.large else { return try Self.decrypt(ciphertexts, with: cipher) }
        return try await compute.run(WorkWeight(bytes: count), deadline: Self.deadline) {
            try Self.decrypt(ciphertexts, with: cipher)
        }
    }

    /// Checks that each looks like a ciphertext, without any key.
    static func checkForm(_ ciphertexts: [[UInt8]]) throws {
        do {
            _ = try Envelope.dataKeys(of: ciphertexts)
        } catch {
            throw try naming(ciphertexts, error) { _ = try Envelope.dataKeys(of: [$0]) }
        }
    }

    private static func decrypt(_ ciphertexts: [[UInt8]], with cipher: ValueCipher) throws -> [[UInt8]] {
        do {
            return try ValueCipher.decrypt(ciphertexts, with: [cipher])
        } catch {
            throw try naming(ciphertexts, error) { _ = try ValueCipher.decrypt([$0], with: [cipher]) }
        }
    }

    /// The error with the place of the first bad one among several.
    private static func naming(
        _ ciphertexts: [[UInt8]],
        _ error: any Error,
        _ read: ([UInt8]) throws -> Void
    ) throws -> any Error {
        guard ciphertexts.count > 1, let refusal = error as? ServiceError else { return error }
        for (index, ciphertext) in ciphertexts.enumerated() where (try? read(ciphertext)) == nil {
            return ServiceError(refusal.code, "ciphertexts[\(index)]: \(refusal.message)", cause: refusal)
        }
        return error
    }

    private static func byteCount(_ values: [[UInt8]]) -> Int {
        values.reduce(0) { $0 + $1.count }
    }
}
