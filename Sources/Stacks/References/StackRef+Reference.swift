package import Kernel

extension StackRef {
    /// The stack that a program means by a name: `stack`, `organization/stack` or `organization/project/stack`.
    ///
    /// What is left out is that of the program's own stack; for the organization a client takes the caller's default one,
    /// which is nearly always the same and is not in the state. Nil for what cannot name a stack of this server.
    package init?(named name: String, readBy reader: StackRef) {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let (organization, project): (String, String)
        switch parts.count {
        case 1: (organization, project) = (reader.organization.rawValue, reader.project.rawValue)
        case 2: (organization, project) = (parts[0], reader.project.rawValue)
        case 3: (organization, project) = (parts[0], parts[1])
        default: return nil
        }
        guard OrganizationName.accepts(organization), ProjectName.accepts(project), let last = parts.last,
            StackName.accepts(last)
        else { return nil }
        self.init(
            organization: OrganizationName(unchecked: organization),
            project: ProjectName(unchecked: project),
            name: StackName(unchecked: last)
        )
    }
}

extension PreparedVersion {
    /// The stacks that the state of `stack` reads.
    package func references(readBy stack: StackRef) -> [StackRef] {
        stackReferenceNames.compactMap { StackRef(named: $0, readBy: stack) }
    }
}
