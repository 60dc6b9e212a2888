/// The name of an object: segments made of our own words, ids and hashes.
///
/// Text from users never becomes part of a key (`reliability-security.md` S-55). Segments hold lower-case letters,
/// digits, `-` and `_` only, so that keys are safe as paths and stay distinct where a file system ignores case.
package struct ObjectKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The segments with `/` between them.
    package let description: String

    /// The longest text of a key; it fits into one file name with room for what a store adds.
    package static let longest = 200

    /// Reads a key that was written to a row; nil for a text that is none.
    package init?(_ text: String) {
        let segments = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard text.utf8.count <= Self.longest, segments.count >= 2, segments.allSatisfy(isObjectName) else {
            return nil
        }
        description = text
    }

    fileprivate init(unchecked text: String) {
        precondition(text.utf8.count <= Self.longest, "the object key \(text) is too long")
        description = text
    }

    /// The SHA-256 that the content must have, as 64 hexadecimal digits; nil when the key does not name content.
    package var contentHex: String? {
        let last = description.utf8.suffix(65)
        guard last.count == 65, last.first == UInt8(ascii: "/"), last.dropFirst().allSatisfy(isHexDigit) else {
            return nil
        }
        return String(last.dropFirst())
    }

    /// The folder that the key is in.
    package var folder: ObjectFolder {
        let end = description.utf8.lastIndex(of: UInt8(ascii: "/")) ?? description.startIndex
        return ObjectFolder(unchecked: String(description[..<end]))
    }

    package static func < (left: ObjectKey, right: ObjectKey) -> Bool {
        left.description < right.description
    }
}

/// The beginning of keys, such as `state/<stack id>`.
package struct ObjectFolder: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    /// States of stacks, and what updates save on the way to them.
    package static let state = ObjectFolder("state")
    /// Large batches of engine events.
    package static let events = ObjectFolder("events")

    /// A folder at the top, named in the code: `ObjectFolder("state")`.
    package init(_ name: StaticString) {
        let text = "\(name)"
        precondition(isObjectName(text.utf8[...]), "\(text) cannot be a segment of an object key")
        description = text
    }

    fileprivate init(unchecked text: String) {
        description = text
    }

    /// Whether a folder is somewhere below it.
    package func contains(_ folder: ObjectFolder) -> Bool {
        folder.description.hasPrefix("\(description)/")
    }

    /// What belongs to one thing.
    package func folder<Entity>(_ id: ID<Entity>) -> ObjectFolder {
        ObjectFolder(unchecked: "\(description)/\(id)")
    }

    package func folder(_ name: StaticString) -> ObjectFolder {
        ObjectFolder(unchecked: "\(description)/\(ObjectFolder(name))")
    }

    /// An object that is named by an id.
    package func object<Entity>(_ id: ID<Entity>) -> ObjectKey {
        ObjectKey(unchecked: "\(description)/\(id)")
    }

    /// An object that is named by its content's SHA-256.
    ///
    /// - Parameter hex: 64 lower-case hexadecimal digits; `Crypto` has the same for its `Digest`.
    package func content(hex: String) -> ObjectKey {
        precondition(hex.utf8.count == 64 && hex.utf8.allSatisfy(isHexDigit), "\(hex) is not a SHA-256")
        return ObjectKey(unchecked: "\(description)/\(hex)")
    }

    package func contains(_ key: ObjectKey) -> Bool {
        key.description.hasPrefix("\(description)/")
    }
}

/// Whether the bytes can be a segment of a key: not empty, at most 64 of `a`–`z`, `0`–`9`, `-` and `_`, and no name that
/// Windows servers keep for devices.
private func isObjectName(_ name: Substring.UTF8View) -> Bool {
    guard (1...64).contains(name.count), name.allSatisfy(isNameByte) else { return false }
    let word = Substring(name)
    let isDevice = ["con", "prn", "aux", "nul"].contains(word)
    let isPort = name.count == 4 && (word.hasPrefix("com") || word.hasPrefix("lpt")) && word.last?.isNumber == true
    return !isDevice && !isPort
}

private func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 48...57, 97...122, UInt8(ascii: "-"), UInt8(ascii: "_"): true
    default: false
    }
}

private func isHexDigit(_ byte: UInt8) -> Bool {
    (48...57).contains(byte) || (97...102).contains(byte)
}
