import Glibc

/// Decoded text, mostly a URN, as a key of sets and dictionaries.
///
/// Hashing goes over the raw bytes with the process's own key: text comes from clients, who must not be able to choose
/// collisions.
struct TextKey: Hashable, Sendable {
    let text: ArraySlice<UInt8>

    init(_ text: ArraySlice<UInt8>) {
        self.text = text
    }

    init(_ text: String) {
        self.text = ArraySlice(Array(text.utf8))
    }

    static func == (left: TextKey, right: TextKey) -> Bool {
        guard left.text.count == right.text.count else { return false }
        return left.text.withUnsafeBytes { first in
            right.text.withUnsafeBytes { second in
                guard let start = first.baseAddress, let other = second.baseAddress else { return true }
                return memcmp(start, other, first.count) == 0
            }
        }
    }

    func hash(into hasher: inout Hasher) {
        text.withUnsafeBytes { hasher.combine(bytes: $0) }
    }
}

extension ArraySlice<UInt8> {
    /// The bytes as text for messages and comparisons with names of ours.
    var asText: String { String(decoding: self, as: UTF8.self) }
}
