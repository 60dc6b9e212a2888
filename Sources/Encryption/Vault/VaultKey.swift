import CloudAccess

/// A key of Vault's transit engine, as `transit/keys/states`.
package struct VaultKey: Sendable, Hashable, CustomStringConvertible {
    /// Where the engine is mounted.
    package let mount: String
    package let name: String

    /// Nil for anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 3, parts[parts.count - 2] == "keys", VaultConfiguration.isPath(text) else { return nil }
        mount = parts.dropLast(2).joined(separator: "/")
        name = parts[parts.count - 1]
    }

    package var description: String { "\(mount)/keys/\(name)" }
}
