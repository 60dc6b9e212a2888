/// A project of an organization.
///
/// It exists as long as it has a stack.
package struct ProjectRef: Hashable, Sendable, CustomStringConvertible {
    package var organization: OrganizationName
    package var project: ProjectName

    package init(organization: OrganizationName, project: ProjectName) {
        self.organization = organization
        self.project = project
    }

    package var description: String { "\(organization)/\(project)" }
}

/// The full name of a stack, as in every `/api/stacks/{orgName}/{projectName}/{stackName}` path.
package struct StackRef: Hashable, Sendable, CustomStringConvertible {
    package var organization: OrganizationName
    package var project: ProjectName
    package var name: StackName

    package init(organization: OrganizationName, project: ProjectName, name: StackName) {
        self.organization = organization
        self.project = project
        self.name = name
    }

    package var projectRef: ProjectRef { ProjectRef(organization: organization, project: project) }

    package var description: String { "\(organization)/\(project)/\(name)" }
}
