import Glibc
import StateStore

/// SHA-256 by the system's libcrypto, loaded by hand: the pure core and its tests need no module of ours for it.
struct TestHash: StreamingHash {
    private typealias OneShot =
        @convention(c) (UnsafeRawPointer?, Int, UnsafeMutablePointer<UInt8>?) -> UnsafeRawPointer?

    private static let sha256: OneShot = {
        guard let library = dlopen("libcrypto.so.3", RTLD_NOW), let symbol = dlsym(library, "SHA256") else {
            fatalError("libcrypto.so.3 is not installed")
        }
        return unsafeBitCast(symbol, to: OneShot.self)
    }()

    private var bytes: [UInt8] = []

    mutating func update(_ bytes: ArraySlice<UInt8>) {
        self.bytes += bytes
    }

    mutating func finalize() -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        _ = bytes.withUnsafeBytes { Self.sha256($0.baseAddress, $0.count, &digest) }
        return digest
    }

    static let maker: HashMaker = { TestHash() }

    @Sendable static func hexadecimal(_ text: String) -> String {
        hexadecimalHash(of: [ArraySlice(Array(text.utf8))], maker)
    }
}

func bytes(_ text: String) -> ArraySlice<UInt8> {
    ArraySlice(Array(text.utf8))
}

func text(_ bytes: some Collection<UInt8>) -> String {
    String(decoding: bytes, as: UTF8.self)
}
