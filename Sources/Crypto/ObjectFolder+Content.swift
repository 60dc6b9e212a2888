package import Kernel

extension ObjectFolder {
    /// An object that is named by its content.
    package func content(_ digest: Digest) -> ObjectKey {
        content(hex: digest.hex)
    }
}

extension ObjectKey {
    /// The digest that the content must have; nil when the key does not name content.
    package var contentDigest: Digest? {
        contentHex.flatMap { Digest(hex: $0) }
    }
}
