/// A path inside an organization.
package protocol OrganizationScoped: OperationPath {
    var orgName: String { get }
}

/// A path inside a project of stacks.
///
/// Projects of environments are others.
package protocol ProjectScoped: OrganizationScoped {
    var projectName: String { get }
}

/// A path to a stack or to something in it.
package protocol StackScoped: ProjectScoped {
    var stackName: String { get }
}

/// A path to an update of a stack.
package protocol UpdateScoped: StackScoped {
    var updateID: String { get }
}

/// A path to an environment or to something in it.
package protocol EnvironmentScoped: OrganizationScoped {
    var projectName: String { get }
    var envName: String { get }
}

/// A path of the first generation of the environments API, which knows one project only.
package protocol DefaultProjectScoped: EnvironmentScoped {}

extension DefaultProjectScoped {
    /// The project in which environments live that were made before there were projects.
    package var projectName: String { "default" }
}

/// A path to an account of Insights or to something in it.
package protocol InsightsAccountScoped: OrganizationScoped {
    var accountName: String { get }
}

/// A path to a team or to something in it.
package protocol TeamScoped: OrganizationScoped {
    var teamName: String { get }
}

/// A path to a policy group.
package protocol PolicyGroupScoped: OrganizationScoped {
    var policyGroup: String { get }
}

/// A path to an item of an organization's services.
package protocol ServiceScoped: OrganizationScoped {
    var ownerType: String { get }
    var ownerName: String { get }
    var serviceName: String { get }
}

/// A path to a package or template of a registry, which names its publisher instead of an organization.
package protocol RegistryScoped: OperationPath {
    var source: String { get }
    var publisher: String { get }
    var name: String { get }
}
