package import Kernel

/// Keys that requests to AWS are signed with.
package struct AWSCredentials: Sendable, Equatable {
    package let accessKeyID: String
    package let secretAccessKey: Redacted<String>
    /// Sent along with temporary keys.
    package let sessionToken: Redacted<String>?
    /// When temporary keys end; nil for those that do not.
    package let expiration: Timestamp?

    package init(
        accessKeyID: String,
        secretAccessKey: Redacted<String>,
        sessionToken: Redacted<String>? = nil,
        expiration: Timestamp? = nil
    ) {
        self.accessKeyID = accessKeyID
        self.secretAccessKey = secretAccessKey
        self.sessionToken = sessionToken
        self.expiration = expiration
    }
}

/// Where keys come from; temporary ones are renewed before they end.
package protocol AWSCredentialSource: Sendable {
    /// Keys that are good for a while.
    ///
    /// - Throws: `ServiceError` with `.unavailable`, whose message names the source and what is wrong.
    func credentials() async throws -> AWSCredentials
}

/// Keys that never change.
package struct FixedAWSCredentials: AWSCredentialSource {
    private let fixed: AWSCredentials

    package init(_ credentials: AWSCredentials) {
        fixed = credentials
    }

    package func credentials() async throws -> AWSCredentials {
        fixed
    }
}
