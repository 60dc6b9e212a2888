package import Persistence

/// Every migration, in order.
///
/// What people read are the dumps `docs/schema/schema.sqlite.sql` and `schema.mysql.sql`; a test keeps them true.
package enum Schema {
    package static let migrations: [Migration] = [
        .identity,
        .stacks,
        .audit,
        .jobs,
        .server,
        .updates,
        .stackExtras,
        .machineTokens,
        .oidc,
        .auditCopies,
        .eventOrder,
    ]
}
