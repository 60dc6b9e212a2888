import Contract
package import HTTPAPI
import Kernel

/// `/api/projects/{orgName}/{projectName}/encrypt` and its relatives.
package struct ProjectSecretRoutes: RouteGroup {
    private let secrets: ProjectSecretService

    package init(secrets: ProjectSecretService) {
        self.secrets = secrets
    }

    package func register(on routes: inout RouteTable) {
        let options = RouteOptions(limits: SecretRoutes.batchLimits)
        routes.mutation(
            Operations.EncryptProjectValue.self,
            access: .project(.encryptProject),
            unaudited: "encrypting reveals nothing",
            options: options,
            handler: encrypt
        )
        routes.mutation(
            Operations.DecryptProjectValue.self,
            access: .project(.decryptProject),
            audit: .secretDecrypted,
            options: options,
            handler: decrypt
        )
        routes.mutation(
            Operations.BatchDecryptProjectValue.self,
            access: .project(.decryptProject),
            audit: .secretsBatchDecrypted,
            options: options,
            handler: batchDecrypt
        )
    }

    func encrypt(_ call: Call<Operations.EncryptProjectValue>) async throws -> AppEncryptValueResponse {
        let project = try call.path.project()
        let organization = try call.requireOrganization()
        let ciphertexts = try await secrets.encrypt([call.body.plaintext.bytes], of: project, in: organization)
        return AppEncryptValueResponse(ciphertext: Base64Bytes(ciphertexts[0]))
    }

    func decrypt(_ call: Call<Operations.DecryptProjectValue>) async throws -> AppDecryptValueResponse {
        let plaintexts = try await secrets.decrypt(
            [call.body.ciphertext.bytes],
            of: try call.path.project(),
            in: try call.requireOrganization(),
            action: .secretDecrypted,
            by: call.actor
        )
        return AppDecryptValueResponse(plaintext: Base64Bytes(plaintexts[0]))
    }

    /// The answer is a map from each ciphertext, as it was sent, to its plaintext.
    func batchDecrypt(_ call: Call<Operations.BatchDecryptProjectValue>) async throws -> AppBatchDecryptResponse {
        let ciphertexts = call.body.ciphertexts ?? []
        let plaintexts = try await secrets.decrypt(
            ciphertexts.map(\.bytes),
            of: try call.path.project(),
            in: try call.requireOrganization(),
            action: .secretsBatchDecrypted,
            by: call.actor
        )
        let pairs = zip(ciphertexts, plaintexts).map { ($0.base64, Base64Bytes($1)) }
        return AppBatchDecryptResponse(plaintexts: Dictionary(pairs) { first, _ in first })
    }
}

extension Call where Operation.Path: OrganizationScoped {
    /// The organization that the caller was admitted to.
    func requireOrganization() throws -> OrganizationID {
        guard let organization = admission.organizationID else {
            throw ServiceError(.notFound, "Not Found: organization '\(path.orgName)' not found")
        }
        return organization
    }
}
