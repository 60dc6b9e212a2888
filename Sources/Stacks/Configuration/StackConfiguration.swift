package import Kernel

/// Where a stack's configuration is when it is not in a file beside the program: in an environment.
package struct StackConfiguration: Sendable, Equatable {
    /// `[project/]name[@version]`.
    package var environment: String
    /// What encrypts the stack's secrets, as the client names it; kept for the client, which alone uses it.
    package var secretsProvider: String?
    package var encryptedKey: String?
    package var encryptionSalt: String?

    private static let longestEnvironment = 255
    private static let longestText = 65_536

    package init(
        environment: String,
        secretsProvider: String? = nil,
        encryptedKey: String? = nil,
        encryptionSalt: String? = nil
    ) {
        self.environment = environment
        self.secretsProvider = secretsProvider
        self.encryptedKey = encryptedKey
        self.encryptionSalt = encryptionSalt
    }

    /// - Throws: `.invalidArgument` for what cannot name an environment.
    package func validate() throws(ServiceError) {
        guard Self.namesEnvironment(environment) else {
            throw .invalid("environment", "must be '[project/]name[@version]'")
        }
        for (field, text) in [
            ("secretsProvider", secretsProvider), ("encryptedKey", encryptedKey), ("encryptionSalt", encryptionSalt),
        ] where (text?.utf8.count ?? 0) > Self.longestText {
            throw .invalid(field, "has at most \(Self.longestText) bytes")
        }
    }

    /// The rule of `spec/esc.md`: letters, digits, `-`, `_` and `.` in both names; a version is a number or a tag.
    private static func namesEnvironment(_ text: String) -> Bool {
        guard text.utf8.count <= longestEnvironment else { return false }
        let atSign = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        let names = atSign[0].split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(names.count) else { return false }
        let versions = atSign.dropFirst()
        return (names + versions).allSatisfy { ProjectName.accepts(String($0)) }
    }
}
