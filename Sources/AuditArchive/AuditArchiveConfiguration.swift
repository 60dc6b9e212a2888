package import Kernel

/// Whether the audit log is kept in a table of DynamoDB as well.
///
/// | Variable | Meaning | Default |
/// |---|---|---|
/// | `PULUMI_AUDIT_LOGS_DYNAMO_TABLE` | Name of the table | none: in the database only |
///
/// Its region and the keys are those of `AWSConfiguration`.
package struct AuditArchiveConfiguration: Sendable {
    /// The variable that names the table.
    package static let setting = "PULUMI_AUDIT_LOGS_DYNAMO_TABLE"

    package let table: String?

    package init(settings: Settings) throws(ConfigurationError) {
        let settings = settings.section()
        table = settings.string("PULUMI_AUDIT_LOGS_DYNAMO_TABLE")
        if let table, !Self.isName(table) {
            settings.report(
                Self.setting,
                "'\(table)' is no name of a table: 3 to 255 letters, digits, '_', '-' and '.'; AWS_REGION says where it is"
            )
        }
        try settings.check()
    }

    /// What DynamoDB takes for a name.
    private static func isName(_ text: String) -> Bool {
        (3...255).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                    || "_-.".utf8.contains(byte)
            }
    }
}
