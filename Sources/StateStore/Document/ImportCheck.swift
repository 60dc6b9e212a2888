/// The names of a stack, as paths, URNs and the service's secrets provider use them.
package struct StackNames: Sendable, Hashable {
    package var organization: String
    package var project: String
    package var stack: String

    package init(organization: String, project: String, stack: String) {
        self.organization = organization
        self.project = project
        self.stack = stack
    }
}

extension StateDocument {
    /// Whether any secret of the state is encrypted.
    package var holdsCiphertext: Bool {
        guard let deployment else { return false }
        return deployment.resources.contains { SpecialValues.holdCiphertext($0.bytes) }
            || deployment.pendingOperations.contains { SpecialValues.holdCiphertext($0.bytes) }
    }

    /// Refuses a state whose secrets only another stack's key can open (`spec/cli-protocol.md` §9.2).
    ///
    /// `formerNames` are those under which the same stack was known before: its key is still the same.
    package func checkImport(into target: StackNames, formerNames: [StackNames] = []) throws(StateError) {
        guard let provider = deployment?.value("secrets_providers").flatMap({ SecretsProvider($0) }),
            provider.type == "service"
        else { return }
        let names = StackNames(
            organization: provider.stateText("owner") ?? "",
            project: provider.stateText("project") ?? "",
            stack: provider.stateText("stack") ?? ""
        )
        guard names != target, !formerNames.contains(names), holdsCiphertext else { return }
        throw .invalid(
            path: "deployment.secrets_providers",
            problem: "cannot import deployment with encrypted secrets from a different stack"
        )
    }
}
