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
