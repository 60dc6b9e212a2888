package import Kernel
package import Persistence

/// Which stacks a list shows; every condition that is set must hold.
package struct StackListFilter: Sendable, Hashable {
    package var organization: String?
    package var project: String?
    package var tagName: String?
    /// Only together with `tagName`.
    package var tagValue: String?

    package init(
        organization: String? = nil,
        project: String? = nil,
        tagName: String? = nil,
        tagValue: String? = nil
    ) {
        self.organization = organization
        self.project = project
        self.tagName = tagName
        self.tagValue = tagValue
    }
}

/// One line of a list of stacks.
package struct StackSummary: Sendable, Equatable {
    package var id: StackID
    package var ref: StackRef
    package var lastUpdateAt: Timestamp?
    package var resourceCount: Int?
}

/// SQL for lists of stacks.
///
/// What the viewer may not see is left out by the statement itself, before paging (`design/reliability-security.md` S-45).
package struct StackListStore: Sendable {
    package init() {}

    /// One more than `limit` of the stacks that `viewer` can read, by organization, project and name, after `last`.
    package func page(
        visibleTo viewer: Viewer,
        filter: StackListFilter,
        after last: StackRef?,
        limit: Int,
        in tx: Transaction
    ) throws -> [StackSummary] {
        var conditions: [SQL] = [
            "s.live = 1",
            viewer.canRead,
        ]
        if let organization = filter.organization { conditions.append("o.name = \(organization)") }
        if let project = filter.project { conditions.append("s.project = \(project)") }
        if let name = filter.tagName {
            let value: SQL = filter.tagValue.map { "AND t.value = \($0)" } ?? ""
            conditions.append(
                "EXISTS (SELECT 1 FROM stack_tags t WHERE t.stack_id = s.id AND t.name = \(name) \(value))"
            )
        }
        if let last { conditions.append(Self.following(last)) }
        return try tx.all(
            """
            SELECT s.id, o.name, s.project, s.name, s.last_update_at, s.resource_count
            FROM organizations o
            JOIN stacks s ON s.organization_id = o.id \(viewer.joins)
            WHERE \(SQL.joined(conditions, by: " AND "))
            ORDER BY o.name, s.project, s.name LIMIT \(limit + 1)
            """,
            StackSummary.init(row:)
        )
    }

    private static func following(_ last: StackRef) -> SQL {
        let organization = last.organization.rawValue
        let project = last.project.rawValue
        return """
            (o.name > \(organization) OR (o.name = \(organization) AND (s.project > \(project)
            OR (s.project = \(project) AND s.name > \(last.name.rawValue)))))
            """
    }
}

extension StackSummary {
    init(row: Row) throws {
        self.init(
            id: try row.id(0),
            ref: StackRef(
                organization: OrganizationName(unchecked: try row.text(1)),
                project: ProjectName(unchecked: try row.text(2)),
                name: StackName(unchecked: try row.text(3))
            ),
            lastUpdateAt: try row.optional(4, Row.timestamp),
            resourceCount: try row.optional(5, Row.int)
        )
    }
}
