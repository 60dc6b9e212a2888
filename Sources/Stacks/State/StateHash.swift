import Crypto
package import StateStore

/// SHA-256 for the pure core, which does not know who computes it.
package final class StateHash: StreamingHash {
    private var hash = SHA256()

    package init() {}

    package func update(_ bytes: ArraySlice<UInt8>) {
        hash.update(bytes)
    }

    package func finalize() -> [UInt8] {
        hash.finish().bytes
    }

    /// Makes one that has seen nothing yet.
    package static let maker: HashMaker = { StateHash() }
}
