/// Who sends a request of a test.
///
/// The accounts are the same in every test server: `dev` administers the organization `acme`, `mia` is a member of it,
/// `eve` administers the organization `other`, and `root` administers the installation and belongs to neither.
package struct TestCaller: Sendable, Hashable {
    /// The value of the `Authorization` header; nil for none.
    package let authorization: String?

    package init(authorization: String?) {
        self.authorization = authorization
    }

    package static let dev = Self.token("test-token-of-dev")
    package static let mia = Self.token("test-token-of-mia")
    package static let eve = Self.token("test-token-of-eve")
    package static let root = Self.token("test-token-of-root")
    /// Nobody: no credential.
    package static let stranger = Self(authorization: nil)

    /// Whoever has this access token.
    package static func token(_ text: String) -> Self {
        Self(authorization: "token \(text)")
    }

    /// Whoever has this token of a running update.
    package static func updateToken(_ text: String) -> Self {
        Self(authorization: "update-token \(text)")
    }

    /// The text of the access token; nil for other credentials.
    var accessToken: String? {
        guard let authorization, authorization.hasPrefix("token ") else { return nil }
        return String(authorization.dropFirst("token ".count))
    }
}
