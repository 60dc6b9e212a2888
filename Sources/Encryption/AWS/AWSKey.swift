import CloudAccess

/// How a key of AWS KMS is named: by its id, `alias/…`, or the ARN of either.
struct AWSKey: Sendable, Equatable {
    let name: String
    /// That of an ARN.
    let region: String?

    /// Nil for what KMS takes nowhere.
    init?(_ name: String) {
        let isGood = name.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                || ":/_-".utf8.contains(byte)
        }
        guard isGood, !name.isEmpty, name.utf8.count <= 512 else { return nil }
        self.name = name
        guard name.hasPrefix("arn:") else {
            guard !name.contains(":") else { return nil }
            region = nil
            return
        }
        let parts = name.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[2] == "kms", !parts[3].isEmpty,
            parts[5].hasPrefix("key/") || parts[5].hasPrefix("alias/")
        else { return nil }
        region = String(parts[3])
    }

    /// The id behind the last slash.
    var id: Substring { name.split(separator: "/").last ?? "" }

    /// Whether it is a copy of the same key in another region, which opens what that one has wrapped.
    func isCopy(of other: AWSKey) -> Bool {
        id.hasPrefix("mrk-") && id == other.id
    }
}
