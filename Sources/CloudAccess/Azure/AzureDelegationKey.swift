import Crypto
package import Kernel

/// A key with which an identity of Azure signs URLs of blobs for a while: the vendor's "user delegation key".
///
/// The URL permits what the identity may do, and no more.
///
/// Source: "Get User Delegation Key" and "Create a user delegation SAS" of the vendor's documentation of Azure Storage.
package struct AzureDelegationKey: Sendable {
    /// When the service takes nothing any more that this key has signed.
    package let end: Timestamp
    /// Whose key it is and how long it lives, as parameters of a URL.
    private let owner: [(name: String, value: String)]
    private let key: Redacted<[UInt8]>

    /// The body of a request for one.
    ///
    /// - Parameter end: at most seven days from the service's own now.
    package static func request(from start: Timestamp, until end: Timestamp) -> [UInt8] {
        let (start, end) = (Timestamp(seconds: start.seconds).rfc3339, Timestamp(seconds: end.seconds).rfc3339)
        let key = "<KeyInfo><Start>\(start)</Start><Expiry>\(end)</Expiry></KeyInfo>"
        return Array("<?xml version=\"1.0\" encoding=\"utf-8\"?>\(key)".utf8)
    }

    /// Reads the answer to such a request; nil for anything else.
    package init?(_ answer: [UInt8]) {
        let document = XMLElement.parse(answer)
        let names = [
            ("skoid", "SignedOid"), ("sktid", "SignedTid"), ("skt", "SignedStart"), ("ske", "SignedExpiry"),
            ("sks", "SignedService"), ("skv", "SignedVersion"),
        ]
        owner = names.compactMap { name, element in
            document?[element].flatMap { $0.text.isEmpty ? nil : (name, $0.text) }
        }
        guard document?.name == "UserDelegationKey", owner.count == names.count,
            let end = document?["SignedExpiry"].flatMap({ Timestamp(rfc3339: $0.text) }),
            let key = document?["Value"].flatMap({ Base64.decode($0.text) }), !key.isEmpty
        else { return nil }
        self.end = end
        self.key = Redacted(key)
    }

    /// Parameters of a URL that permit something of one blob; nil when the key ends before the URL does.
    package func sign(_ grant: AzureBlobGrant) -> [(name: String, value: String)]? {
        guard grant.end <= end else { return nil }
        // Behind the owner stand three of folders and their owners, which blobs do not have.
        let signer = owner.map(\.value) + ["", "", ""]
        return owner + grant.query(signature: HMAC.code(of: grant.text(signer: signer), key: key.reveal()).bytes)
    }
}
