import Kernel
import Persistence

/// SQL for `projects`: ids for projects that something of their own belongs to.
struct ProjectStore: Sendable {
    func find(_ project: ProjectName, in organization: OrganizationID, tx: Transaction) throws -> ProjectID? {
        try tx.first(
            "SELECT id FROM projects WHERE organization_id = \(organization) AND name = \(project.rawValue)"
        ) { try $0.id(0) }
    }

    /// The project's id; `id` becomes it when the project has none yet.
    func findOrInsert(
        _ project: ProjectName,
        in organization: OrganizationID,
        id: ProjectID,
        at now: Timestamp,
        tx: Transaction
    ) throws -> ProjectID {
        _ = try tx.insertIgnoringDuplicates(
            into: "projects",
            ["id": id, "organization_id": organization, "name": project.rawValue, "created_at": now]
        )
        return try find(project, in: organization, tx: tx) ?? id
    }
}
