import Crypto
import Kernel

/// A key service that all processes use: away now and then, or slow.
///
/// SAFETY: `@unchecked` because of what it refers to; only the thread that runs the seed uses it.
final class SimulatedKeys: KeyProvider, @unchecked Sendable {
    private let world: World
    private let process: Process
    private let master: SecretBytes

    init(_ world: World, _ process: Process) {
        self.world = world
        self.process = process
        var bytes = [UInt8](repeating: 7, count: AES256GCM.keyCount)
        master = SecretBytes(wiping: &bytes)
    }

    var currentVersion: String { "simulated" }

    func makeKey(context: [UInt8]) async throws -> (key: SecretBytes, wrapped: WrappedKey) {
        var bytes = world.scheduler.numbers.bytes(AES256GCM.keyCount)
        let key = SecretBytes(wiping: &bytes)
        return (key, try await wrap(key, context: context))
    }

    func wrap(_ key: SecretBytes, context: [UInt8]) async throws -> WrappedKey {
        try await reach()
        let nonce = world.scheduler.numbers.bytes(AES256GCM.nonceCount)
        let plaintext = key.withUnsafeBytes { Array($0) }
        let sealed = AES256GCM.seal(plaintext, key: master, nonce: nonce, context: context)
        return WrappedKey(version: currentVersion, bytes: nonce + sealed)
    }

    func unwrap(_ wrapped: WrappedKey, context: [UInt8]) async throws -> SecretBytes {
        try await reach()
        let nonce = Array(wrapped.bytes.prefix(AES256GCM.nonceCount))
        let sealed = Array(wrapped.bytes.dropFirst(AES256GCM.nonceCount))
        guard let key = AES256GCM.open(sealed, key: master, nonce: nonce, context: context) else {
            throw ServiceError(.damaged, "simulated: not a key of this service")
        }
        return key
    }

    private func reach() async throws {
        try process.checkAlive()
        await world.scheduler.sleep(world.faults.delay(slow: .keysSlow))
        try process.checkAlive()
        if world.faults.happens(.keysAway) { throw ServiceError.unavailable("simulated: the key service is away") }
    }
}
