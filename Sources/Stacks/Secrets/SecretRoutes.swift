import Contract
import Events
package import HTTPAPI
import Kernel

/// `/api/stacks/{orgName}/{projectName}/{stackName}/encrypt` and its relatives.
package struct SecretRoutes: RouteGroup {
    /// Clients send up to 100 MB of text at once (`spec/cli-protocol.md` §7.5).
    static let batchLimits = BodyLimits(200 << 20)

    private let secrets: SecretService

    package init(secrets: SecretService) {
        self.secrets = secrets
    }

    package func register(on routes: inout RouteTable) {
        let batch = RouteOptions(limits: Self.batchLimits)
        let unaudited = "encrypting reveals nothing, and clients do it thousands of times"
        routes.mutation(
            Operations.EncryptValue.self,
            access: .stack(.encrypt),
            unaudited: unaudited,
            options: batch,
            handler: encrypt
        )
        routes.mutation(
            Operations.BatchEncryptValue.self,
            access: .stack(.encrypt),
            unaudited: unaudited,
            options: batch,
            handler: batchEncrypt
        )
        routes.mutation(
            Operations.DecryptValue.self,
            access: .stack(.decrypt),
            audit: .secretDecrypted,
            options: batch,
            handler: decrypt
        )
        routes.mutation(
            Operations.BatchDecryptValue.self,
            access: .stack(.decrypt),
            audit: .secretsBatchDecrypted,
            options: batch,
            handler: batchDecrypt
        )
        routes.mutation(
            Operations.LogOnlyDecryptValue.self,
            access: .stack(.decrypt),
            audit: .secretDecrypted,
            handler: logDecryption
        )
        routes.mutation(
            Operations.LogOnlyBatchDecryptValue.self,
            access: .stack(.decrypt),
            audit: .secretsBatchDecrypted,
            handler: logBatchDecryption
        )
    }

    func encrypt(_ call: Call<Operations.EncryptValue>) async throws -> AppEncryptValueResponse {
        let stack = try call.requireStack()
        let ciphertexts = try await secrets.encrypt([call.body.plaintext.bytes], of: stack)
        return AppEncryptValueResponse(ciphertext: Base64Bytes(ciphertexts[0]))
    }

    func batchEncrypt(_ call: Call<Operations.BatchEncryptValue>) async throws -> AppBatchEncryptResponse {
        let stack = try call.requireStack()
        let ciphertexts = try await secrets.encrypt((call.body.plaintexts ?? []).map(\.bytes), of: stack)
        return AppBatchEncryptResponse(ciphertexts: ciphertexts.map { Base64Bytes($0) })
    }

    func decrypt(_ call: Call<Operations.DecryptValue>) async throws -> AppDecryptValueResponse {
        let stack = try call.requireStack()
        let plaintexts = try await secrets.decrypt(
            [call.body.ciphertext.bytes],
            of: stack,
            action: .secretDecrypted,
            by: call.actor
        )
        return AppDecryptValueResponse(plaintext: Base64Bytes(plaintexts[0]))
    }

    /// The answer is a map from each ciphertext, as it was sent, to its plaintext; a missing key makes clients panic.
    func batchDecrypt(_ call: Call<Operations.BatchDecryptValue>) async throws -> AppBatchDecryptResponse {
        let stack = try call.requireStack()
        let ciphertexts = call.body.ciphertexts ?? []
        let plaintexts = try await secrets.decrypt(
            ciphertexts.map(\.bytes),
            of: stack,
            action: .secretsBatchDecrypted,
            by: call.actor
        )
        let pairs = zip(ciphertexts, plaintexts).map { ($0.base64, Base64Bytes($1)) }
        return AppBatchDecryptResponse(plaintexts: Dictionary(pairs) { first, _ in first })
    }

    func logDecryption(_ call: Call<Operations.LogOnlyDecryptValue>) async throws -> NoContent {
        let detail = AuditEvent.Detail("secret", call.body.secretName ?? "")
        try await secrets.logDecryption(.secretDecrypted, of: try call.requireStack(), detail: detail, by: call.actor)
        return NoContent()
    }

    func logBatchDecryption(_ call: Call<Operations.LogOnlyBatchDecryptValue>) async throws -> NoContent {
        let detail = AuditEvent.Detail("command", call.body.commandName ?? "")
        try await secrets.logDecryption(
            .secretsBatchDecrypted,
            of: try call.requireStack(),
            detail: detail,
            by: call.actor
        )
        return NoContent()
    }
}

extension Call where Operation.Path: StackScoped {
    /// The stack that the caller was admitted to.
    func requireStack() throws -> StackID {
        guard let stack = admission.stackID else { throw ServiceError.stackNotFound(try path.stack()) }
        return stack
    }
}
