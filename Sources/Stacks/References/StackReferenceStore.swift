package import Kernel
package import Persistence

/// A stack that another one reads, or that reads another one.
package struct ReferencedStack: Sendable, Equatable {
    package var ref: StackRef
    package var version: Int
}

/// SQL for `stack_references`: which stacks the newest version of each stack's state reads.
///
/// What the viewer may not read is left out by the statements themselves.
package struct StackReferenceStore: Sendable {
    /// More than a list shows.
    private static let most = 1000
    private static let columns: SQL = "o.name, s.project, s.name, s.version"
    private static let order: SQL = "ORDER BY o.name, s.project, s.name LIMIT \(most)"

    package init() {}

    /// Makes the stacks that a stack reads exactly these.
    package func replace(_ references: [StackRef], of stack: StackID, in tx: Transaction) throws {
        let current = Set(
            try tx.all("SELECT organization, project, name FROM stack_references WHERE stack_id = \(stack)") { row in
                StackRef(
                    organization: OrganizationName(unchecked: try row.text(0)),
                    project: ProjectName(unchecked: try row.text(1)),
                    name: StackName(unchecked: try row.text(2))
                )
            }
        )
        let wanted = Set(references)
        for reference in current.subtracting(wanted) {
            try tx.execute(
                """
                DELETE FROM stack_references WHERE stack_id = \(stack)
                AND organization = \(reference.organization.rawValue) AND project = \(reference.project.rawValue)
                AND name = \(reference.name.rawValue)
                """
            )
        }
        for reference in wanted.subtracting(current) {
            try tx.insert(
                into: "stack_references",
                [
                    "stack_id": stack, "organization": reference.organization.rawValue,
                    "project": reference.project.rawValue, "name": reference.name.rawValue,
                ]
            )
        }
    }

    /// The stacks that a stack reads, as far as they exist and the viewer can read them.
    package func upstream(of stack: StackID, visibleTo viewer: Viewer, in tx: Transaction) throws -> [ReferencedStack] {
        try tx.all(
            """
            SELECT \(Self.columns) FROM stack_references r
            JOIN organizations o ON o.name = r.organization
            JOIN stacks s ON s.organization_id = o.id AND s.project = r.project AND s.name = r.name AND s.live = 1
            \(viewer.joins)
            WHERE r.stack_id = \(stack) AND \(viewer.canRead) \(Self.order)
            """,
            ReferencedStack.init(row:)
        )
    }

    /// The stacks that read a stack under its name, as far as the viewer can read them.
    package func downstream(of ref: StackRef, visibleTo viewer: Viewer, in tx: Transaction) throws -> [ReferencedStack]
    {
        try tx.all(
            """
            SELECT \(Self.columns) FROM stack_references r
            JOIN stacks s ON s.id = r.stack_id AND s.live = 1
            JOIN organizations o ON o.id = s.organization_id
            \(viewer.joins)
            WHERE r.organization = \(ref.organization.rawValue) AND r.project = \(ref.project.rawValue)
            AND r.name = \(ref.name.rawValue) AND \(viewer.canRead) \(Self.order)
            """,
            ReferencedStack.init(row:)
        )
    }
}

extension ReferencedStack {
    init(row: Row) throws {
        self.init(
            ref: StackRef(
                organization: OrganizationName(unchecked: try row.text(0)),
                project: ProjectName(unchecked: try row.text(1)),
                name: StackName(unchecked: try row.text(2))
            ),
            version: try row.int(3)
        )
    }
}
