import Crypto
import Encryption
import Kernel
import Testing

/// What holds for every place that a master key lives in.
struct KeyProviderConformance {
    let provider: any KeyProvider

    func run() async throws {
        try await makesKeys()
        try await wrapsKeys()
        try await bindsToTheContext()
        try await refusesWhatIsNotGenuine()
        try await refusesOtherVersions()
        try await standsManyAtOnce()
    }

    private let contexts: [[UInt8]] = [[], [0], Array("dek/v1".utf8), [UInt8](repeating: 255, count: 200)]

    private func makesKeys() async throws {
        for context in contexts {
            let (first, wrapped) = try await provider.makeKey(context: context)
            let (second, other) = try await provider.makeKey(context: context)

            #expect(first.count == 32)
            #expect(!ConstantTime.equal(first, second))
            #expect(wrapped.bytes != other.bytes)
            #expect(wrapped.version == provider.currentVersion)
            #expect(wrapped.version.utf8.count <= 120, "the column of the database is not longer")
            #expect(ConstantTime.equal(try await provider.unwrap(wrapped, context: context), first))
            #expect(ConstantTime.equal(try await provider.unwrap(other, context: context), second))
        }
    }

    private func wrapsKeys() async throws {
        for count in [1, 16, 32, 64] {
            let key = Random.key(count)

            let wrapped = try await provider.wrap(key, context: contexts[2])
            let again = try await provider.wrap(key, context: contexts[2])

            #expect(wrapped.version == provider.currentVersion)
            #expect(wrapped.bytes != again.bytes)
            #expect(ConstantTime.equal(try await provider.unwrap(wrapped, context: contexts[2]), key))
        }
    }

    private func bindsToTheContext() async throws {
        let made = try await provider.makeKey(context: contexts[2]).wrapped
        let wrapped = try await provider.wrap(Random.key(), context: contexts[2])

        for key in [made, wrapped] {
            for context in [contexts[0], contexts[1], contexts[2] + [0], Array(contexts[2].dropLast())] {
                await expect([.damaged]) { _ = try await provider.unwrap(key, context: context) }
            }
        }
    }

    private func refusesWhatIsNotGenuine() async throws {
        let made = try await provider.makeKey(context: contexts[2]).wrapped
        let wrapped = try await provider.wrap(Random.key(), context: contexts[2])

        for key in [made, wrapped] {
            let count = key.bytes.count
            for index in [0, 1, 2, 3, count / 4, count / 2, count * 3 / 4, count - 2, count - 1] {
                var bytes = key.bytes
                bytes[index] ^= 1
                let changed = WrappedKey(version: key.version, bytes: bytes)
                // A service may find another key's name in it, and say that this is not there or not permitted.
                await expect([.damaged, .notFound, .unavailable]) {
                    _ = try await provider.unwrap(changed, context: contexts[2])
                }
            }
            for bytes in [[], [1], [2], [2, 0], [2, 255, 255, 1], Array(key.bytes.dropLast()), key.bytes + [0]] {
                let changed = WrappedKey(version: key.version, bytes: bytes)
                await expect([.damaged]) { _ = try await provider.unwrap(changed, context: contexts[2]) }
            }
        }
        let bytes = Array(wrapped.bytes[..<1] + made.bytes[1...])
        let swapped = WrappedKey(version: made.version, bytes: bytes)
        await expect([.damaged, .notFound]) { _ = try await provider.unwrap(swapped, context: contexts[1]) }
    }

    private func refusesOtherVersions() async throws {
        let made = try await provider.makeKey(context: contexts[2]).wrapped

        for version in ["", "local:0011223344556677", "azure:00112233445566778899aabbccddeeff", "arn:x", "nonsense"]
        where version != made.version {
            let other = WrappedKey(version: version, bytes: made.bytes)
            await expect([.notFound]) { _ = try await provider.unwrap(other, context: contexts[2]) }
        }
    }

    private func standsManyAtOnce() async throws {
        let provider = provider

        let isGood = try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<16 {
                group.addTask {
                    let context = [UInt8(number)]
                    let (key, wrapped) = try await provider.makeKey(context: context)
                    return ConstantTime.equal(try await provider.unwrap(wrapped, context: context), key)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }

        #expect(isGood == [Bool](repeating: true, count: 16))
    }

    private func expect(_ codes: [ServiceError.Code], _ body: () async throws -> Void) async {
        let error = await #expect(throws: ServiceError.self) { try await body() }
        if let error { #expect(codes.contains(error.code), "\(error)") }
    }
}

@Suite("A local master key")
struct LocalKeyProviderConformanceTests {
    @Test("does what every master key does, also beside an older one")
    func conforms() async throws {
        try await KeyProviderConformance(provider: LocalKeyProvider(current: Random.key())).run()
        try await KeyProviderConformance(provider: LocalKeyProvider(current: Random.key(), older: [Random.key()])).run()
    }
}
