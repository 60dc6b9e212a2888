package import Contract
package import Kernel

// The names in a path as checked names. A name that breaks its rule is a 400 that tells the rule; an id that is none is
// a 404, because ids are ours and a client cannot have mistyped one.

extension OrganizationScoped {
    package func organization() throws(ServiceError) -> OrganizationName {
        try OrganizationName(orgName)
    }
}

extension ProjectScoped {
    package func project() throws(ServiceError) -> ProjectRef {
        ProjectRef(organization: try organization(), project: try ProjectName(projectName))
    }
}

extension StackScoped {
    package func stack() throws(ServiceError) -> StackRef {
        StackRef(
            organization: try organization(),
            project: try ProjectName(projectName),
            name: try StackName(stackName)
        )
    }
}

extension UpdateScoped {
    package func update() throws(ServiceError) -> UpdateID {
        guard let id = UpdateID(updateID) else { throw .noSuchUpdate }
        return id
    }
}
