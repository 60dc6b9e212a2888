import Glibc

/// Decoded text, mostly a URN, as a key of sets and dictionaries.
///
/// Hashing goes over the raw bytes with the process's own key: text comes from clients, who must not be able to choose
/// collisions. The hash is kept, so that sets of thousands touch the texts no more.
struct TextKey: Hashable, Sendable {
    let text: ArraySlice<UInt8>
    private let hash: Int

    init(_ text: ArraySlice<UInt8>) {
        self.init(text, hash: Self.hash(of: text.span))
    }

    init(_ text: String) {
        self.init(ArraySlice(Array(text.utf8)))
    }

    /// - Parameter hash: what `hash(of:)` says of the text.
    init(_ text: ArraySlice<UInt8>, hash: Int) {
        self.text = text
        self.hash = hash
    }

    static func hash(of text: Span<UInt8>) -> Int {
        var hasher = Hasher()
        text.withUnsafeBytes { hasher.combine(bytes: $0) }
        return hasher.finalize()
    }

    static func == (left: TextKey, right: TextKey) -> Bool {
        guard left.hash == right.hash, left.text.count == right.text.count else { return false }
        return left.text.withUnsafeBytes { first in
            right.text.withUnsafeBytes { second in
                guard let start = first.baseAddress, let other = second.baseAddress else { return true }
                return memcmp(start, other, first.count) == 0
            }
        }
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(hash)
    }
}

extension ArraySlice<UInt8> {
    /// The bytes as text for messages and comparisons with names of ours.
    var asText: String { String(decoding: self, as: UTF8.self) }
}
