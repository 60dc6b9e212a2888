import Crypto
package import Kernel
package import Transfers

/// The key of a storage account, and the signatures made with it.
///
/// Source: "Authorize with Shared Key" of the vendor's documentation of Azure Storage.
package struct AzureSharedKey: Sendable {
    package let account: String
    private let key: Redacted<[UInt8]>

    /// Nil unless the key is base64 text.
    package init?(account: String, key: Redacted<String>) {
        guard let bytes = Base64.decode(key.reveal()), !bytes.isEmpty else { return nil }
        self.account = account
        self.key = Redacted(bytes)
    }

    /// The request with its date and `Authorization`.
    ///
    /// - Parameter version: of the service's interface, sent as `x-ms-version`.
    package func sign(_ request: AzureStorageRequest, version: String, at time: Timestamp) -> TransferRequest {
        var request = request
        request.headers += [("x-ms-date", time.httpDate), ("x-ms-version", version)]
        let signature = HMAC.code(of: Array(text(of: request).utf8), key: key.reveal())
        request.headers.append(("Authorization", "SharedKey \(account):\(Base64.encode(signature.bytes))"))
        return request.transfer()
    }

    /// Parameters of a URL that permit something of one blob: a service's shared access signature.
    package func sign(_ grant: AzureBlobGrant) -> [(name: String, value: String)] {
        let identifier = ""
        return grant.query(signature: HMAC.code(of: grant.text(signer: [identifier]), key: key.reveal()).bytes)
    }

    // MARK: - The text that is signed

    private func text(of request: AzureStorageRequest) -> String {
        let length = request.body.map { $0.isEmpty ? "" : "\($0.count)" } ?? ""
        let plain = [
            "Content-Encoding", "Content-Language", nil, "Content-MD5", "Content-Type", "Date", "If-Modified-Since",
            "If-Match", "If-None-Match", "If-Unmodified-Since", "Range",
        ].map { name in name.map { Self.value($0, request) } ?? length }
        return ([request.method] + plain).joined(separator: "\n") + "\n" + Self.headers(request) + resource(request)
    }

    private static func value(_ name: String, _ request: AzureStorageRequest) -> String {
        request.headers.first { $0.name.lowercased() == name.lowercased() }?.value ?? ""
    }

    private static func headers(_ request: AzureStorageRequest) -> String {
        request.headers.map { ($0.name.lowercased(), $0.value) }
            .filter { $0.0.hasPrefix("x-ms-") }
            .sorted { $0.0 < $1.0 }
            .map { "\($0.0):\($0.1)\n" }
            .joined()
    }

    private func resource(_ request: AzureStorageRequest) -> String {
        var values: [String: [String]] = [:]
        for item in request.query { values[item.name.lowercased(), default: []].append(item.value) }
        let parameters = values.sorted { $0.key < $1.key }
            .map { "\n\($0.key):\($0.value.sorted().joined(separator: ","))" }
        return "/\(account)\(request.path)\(parameters.joined())"
    }
}
