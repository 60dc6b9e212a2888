import Contract
import Crypto
package import Kernel

/// The key of a service account, as Google gives it in a file.
package struct GoogleServiceAccount: Sendable {
    package let email: String
    package let tokenURL: String
    private let keyID: String?
    private let key: PrivateKey

    /// Reads the file; blocks.
    ///
    /// - Throws: `ConfigurationError`, which never shows what is in the file.
    package init(file path: String) throws(ConfigurationError) {
        func problem(_ text: String) -> ConfigurationError {
            ConfigurationError([.init(setting: "GOOGLE_APPLICATION_CREDENTIALS", text: text)])
        }
        let text: String
        do {
            text = try SmallFile.read(path)
        } catch {
            throw problem(error.description)
        }
        guard case .object(let object)? = try? JSONValue.parse(Array(text.utf8)) else {
            throw problem("\(path) is no JSON object, as Google gives for a service account")
        }
        guard object[text: "type"] == "service_account" else {
            throw problem("\(path) is of the type '\(object[text: "type"] ?? "")'; this version takes service_account")
        }
        guard let email = object[text: "client_email"], let pem = object[text: "private_key"],
            let url = object[text: "token_uri"]
        else { throw problem("\(path) lacks one of client_email, private_key and token_uri") }
        guard let address = ServiceAddress(url), address.scheme == "https" || address.isLoopback else {
            throw problem("the token_uri of \(path) is no https URL")
        }
        guard let key = PrivateKey(pem: Redacted(pem)) else {
            throw problem("the private_key of \(path) is no RSA key")
        }
        self.email = email
        self.key = key
        tokenURL = url
        keyID = object[text: "private_key_id"]
    }

    /// By RSASSA-PKCS1-v1_5 with SHA-256; nil when the key cannot.
    func sign(_ message: [UInt8]) -> [UInt8]? { key.sign(message) }

    /// A signed statement that this account wants a token, good for an hour (RFC 7523).
    func assertion(scope: String, at time: Timestamp) throws -> String {
        let header = try RawJSON { json in
            json.beginObject()
            json.field("alg", string: "RS256")
            json.field("typ", string: "JWT")
            json.field("kid", string: keyID)
            json.endObject()
        }
        let claims = try RawJSON { json in
            json.beginObject()
            json.field("iss", string: email)
            json.field("scope", string: scope)
            json.field("aud", string: tokenURL)
            json.field("iat", integer: Int(time.seconds))
            json.field("exp", integer: Int(time.seconds) + 3600)
            json.endObject()
        }
        let text = "\(Base64.encode(header.bytes, .url)).\(Base64.encode(claims.bytes, .url))"
        guard let signature = key.sign(Array(text.utf8)) else {
            throw ServiceError.unavailable("The key of \(email) cannot sign")
        }
        return "\(text).\(Base64.encode(signature, .url))"
    }
}
