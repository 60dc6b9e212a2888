import Crypto
package import Kernel

/// What a URL permits of one blob to whoever has it: the part of a shared access signature that all kinds have.
///
/// Source: "Create a service SAS" and "Create a user delegation SAS" of the vendor's documentation of Azure Storage.
package struct AzureBlobGrant: Sendable {
    /// The version of signatures in URLs, which decides what they cover.
    private static let version = "2020-12-06"

    private let resource: String
    private let permissions: String
    private let protocols: String
    let end: Timestamp

    /// - Parameters:
    ///   - blob: container and name, not encoded.
    ///   - permissions: the vendor's letters in the vendor's order, such as `r` and `cw`.
    ///   - protocols: `https`, or `https,http`.
    ///   - end: rounded down to a second.
    package init(account: String, blob: String, permissions: String, protocols: String, until end: Timestamp) {
        resource = "/blob/\(account)/\(blob)"
        self.permissions = permissions
        self.protocols = protocols
        self.end = Timestamp(seconds: end.seconds)
    }

    /// What is signed.
    ///
    /// - Parameter signer: lines that say who signs.
    func text(signer: [String]) -> [UInt8] {
        let start = ""
        let addresses = ""
        // What is empty at the end: snapshot, scope of encryption, five headers of the answer.
        let lines =
            [permissions, start, end.rfc3339, resource] + signer + [addresses, protocols, Self.version, "b"]
            + [String](repeating: "", count: 7)
        return Array(lines.joined(separator: "\n").utf8)
    }

    /// Parameters of the URL, without those that say who signs.
    func query(signature: [UInt8]) -> [(name: String, value: String)] {
        [
            ("se", end.rfc3339), ("sp", permissions), ("spr", protocols), ("sv", Self.version), ("sr", "b"),
            ("sig", Base64.encode(signature)),
        ]
    }
}
