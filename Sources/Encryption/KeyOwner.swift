package import Kernel

/// Names the data keys of one stack, environment or other thing.
package enum DataKey {}

package typealias DataKeyID = ID<DataKey>

/// Whose values a data key encrypts, and which kind of them.
///
/// Bound into every wrapped key and every ciphertext: one that is copied to another owner cannot be decrypted there. The
/// id never changes, so renaming a stack or giving it to another organization keeps its secrets readable; deleting it
/// and making one of the same name does not bring them back.
package struct KeyOwner: Hashable, Sendable {
    /// The purpose with its length before it, then the id.
    let bytes: [UInt8]

    /// - Parameter purpose: a word of ours, such as `stack`.
    package init<Entity>(_ purpose: StaticString, _ id: ID<Entity>) {
        let word = Array("\(purpose)".utf8)
        precondition((1...64).contains(word.count), "the purpose \(purpose) has no good length")
        bytes = [UInt8(word.count)] + word + id.rawBytes
    }
}

extension ID {
    /// The 16 bytes of the UUID.
    var rawBytes: [UInt8] {
        var digits = Substring(description).utf8.filter { $0 != UInt8(ascii: "-") }[...]
        var bytes: [UInt8] = []
        while let high = digits.popFirst(), let low = digits.popFirst() {
            bytes.append(Self.value(high) << 4 | Self.value(low))
        }
        return bytes
    }

    /// Reads 16 bytes; nil for any other number.
    init?(rawBytes: some Collection<UInt8>) {
        guard rawBytes.count == 16 else { return nil }
        var text: [UInt8] = []
        for (index, byte) in rawBytes.enumerated() {
            if [4, 6, 8, 10].contains(index) { text.append(UInt8(ascii: "-")) }
            text += [Self.digit(byte >> 4), Self.digit(byte & 15)]
        }
        self.init(String(decoding: text, as: UTF8.self))
    }

    private static func value(_ digit: UInt8) -> UInt8 { digit <= 57 ? digit - 48 : digit - 87 }
    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 48 + value : 87 + value }
}
