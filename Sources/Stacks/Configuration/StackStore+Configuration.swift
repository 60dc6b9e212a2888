package import Kernel
package import Persistence

extension StackStore {
    /// Nil for a configuration that is in a file.
    package func setConfiguration(_ value: StackConfiguration?, of id: StackID, in tx: Transaction) throws {
        try tx.execute(
            """
            UPDATE stacks SET config_environment = \(value?.environment),
            config_secrets_provider = \(value?.secretsProvider), config_encrypted_key = \(value?.encryptedKey),
            config_encryption_salt = \(value?.encryptionSalt) WHERE id = \(id)
            """
        )
    }
}
