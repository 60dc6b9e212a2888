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
    ///
    /// One statement for each range of an index that begins where the page before ended: a single condition for "behind
    /// these three names" would go over all rows before them again, page after page.
    package func page(
        visibleTo viewer: Viewer,
        filter: StackListFilter,
        after last: StackRef?,
        limit: Int,
        in tx: Transaction
    ) throws -> [StackSummary] {
        var found: [StackSummary] = []
        for organization in try organizations(visibleTo: viewer, filter: filter, from: last?.organization, in: tx) {
            for range in Self.ranges(of: organization.name, after: last) {
                let conditions = range + [viewer.canRead] + Self.conditions(filter)
                found += try tx.all(
                    """
                    SELECT s.id, s.project, s.name, s.last_update_at, s.resource_count
                    FROM organizations o JOIN stacks s ON s.organization_id = o.id \(viewer.joins)
                    WHERE o.id = \(organization.id) AND s.live = 1 AND \(SQL.joined(conditions, by: " AND "))
                    ORDER BY s.project, s.name LIMIT \(limit + 1 - found.count)
                    """
                ) { row in try StackSummary(row: row, in: organization.name) }
                guard found.count <= limit else { return found }
            }
        }
        return found
    }

    /// Those with stacks, by name, beginning with the one where the page before ended.
    private func organizations(
        visibleTo viewer: Viewer,
        filter: StackListFilter,
        from first: OrganizationName?,
        in tx: Transaction
    ) throws -> [(id: OrganizationID, name: OrganizationName)] {
        var conditions: [SQL] = [viewer.belongs]
        if let name = filter.organization { conditions.append("o.name = \(name)") }
        if let first { conditions.append("o.name >= \(first.rawValue)") }
        return try tx.all(
            """
            SELECT o.id, o.name FROM organizations o WHERE \(SQL.joined(conditions, by: " AND "))
            AND EXISTS (SELECT 1 FROM stacks s WHERE s.organization_id = o.id AND s.live = 1) ORDER BY o.name
            """
        ) { row in (try row.id(0), OrganizationName(unchecked: try row.text(1))) }
    }

    /// The stacks of an organization behind `last`, in order, as the conditions of each range of the index.
    private static func ranges(of organization: OrganizationName, after last: StackRef?) -> [[SQL]] {
        guard let last, last.organization == organization else { return [[]] }
        let project = last.project.rawValue
        return [["s.project = \(project)", "s.name > \(last.name.rawValue)"], ["s.project > \(project)"]]
    }

    private static func conditions(_ filter: StackListFilter) -> [SQL] {
        var conditions: [SQL] = []
        if let project = filter.project { conditions.append("s.project = \(project)") }
        if let name = filter.tagName {
            let value: SQL = filter.tagValue.map { "AND t.value = \($0)" } ?? ""
            conditions.append(
                "EXISTS (SELECT 1 FROM stack_tags t WHERE t.stack_id = s.id AND t.name = \(name) \(value))"
            )
        }
        return conditions
    }
}

extension StackSummary {
    fileprivate init(row: Row, in organization: OrganizationName) throws {
        self.init(
            id: try row.id(0),
            ref: StackRef(
                organization: organization,
                project: ProjectName(unchecked: try row.text(1)),
                name: StackName(unchecked: try row.text(2))
            ),
            lastUpdateAt: try row.optional(3, Row.timestamp),
            resourceCount: try row.optional(4, Row.int)
        )
    }
}
