package import Kernel

/// Settings of the vendor's server that installers set and that mean nothing here, or nothing yet.
///
/// Reading them keeps installers working and `cairn check` complete. What would change where data goes or who can read it
/// must not be passed over in silence: those refuse the start instead.
package enum AcceptedSettings {
    /// Accepted without a word: they have no meaning for this server.
    package static let ignored = [
        "PULUMI_LICENSE_KEY", "PULUMI_ENTERPRISE", "PULUMI_SHARED_DOMAIN_ROOT", "PULUMI_BILLING_SNS_ALERT_TOPIC",
        "PULUMI_SNS_NOTIFICATION_TOPIC", "PULUMI_SNS_INFORMATION_TOPIC", "PULUMI_SNS_ALERT_TOPIC",
        "PULUMI_SNS_DEPENDENCIES_TOPIC", "PULUMI_TRACING_AMOUNT", "PULUMI_TRACING_ENDPOINT", "SLACK_API_KEY",
        "SLACK_NOTIFCATION_CONFIG", "SEGMENT_WRITE_KEY", "MANDRILL_API_KEY", "PULUMI_ENABLE_DEPRECATED_METRICS",
        "PULUMI_ENGINE_EVENTS_SCHEMA_V2", "PULUMI_ENGINE_EVENTS_LEGACY_WRITE",
    ]

    /// Features that this version does not have; said in the log at the start.
    package static let notYet = [
        "SMTP_SERVER", "PULUMI_SEARCH_DOMAIN", "OTEL_EXPORTER_OTLP_ENDPOINT", "GITHUB_OAUTH_ID", "GITLAB_OAUTH_ID",
        "SAML_CERTIFICATE_PUBLIC_KEY", "PULUMI_AUDIT_LOGS_DYNAMO_TABLE", "RECAPTCHA_SECRET_KEY",
        "PULUMI_POLICY_PACK_LOCAL_HTTP_OBJECTS", "PULUMI_POLICY_PACK_BLOB_STORAGE_ENDPOINT",
        "PULUMI_ENGINE_EVENTS_BLOB_STORAGE_ENDPOINT", "PULUMI_SERVICE_METADATA_BLOB_STORAGE_ENDPOINT",
    ]

    /// Where data and keys would go: without them nothing may be written elsewhere.
    package static let refused = [
        "PULUMI_CHECKPOINT_BLOB_STORAGE_ENDPOINT", "PULUMI_OBJECTS_BUCKET", "PULUMI_KMS_KEY", "PULUMI_AZURE_KV_URI",
    ]

    /// Reads all of them, with a warning or a problem where one is due.
    package static func read(_ settings: Settings) throws(ConfigurationError) {
        let settings = settings.section()
        for name in ignored { _ = settings.secret(name) }
        for name in notYet where settings.secret(name) != nil {
            settings.warn(name, "this version has no use for it yet")
        }
        for name in refused where settings.secret(name) != nil {
            settings.report(name, "is not supported by this version; unset it to keep state and keys on this machine")
        }
        try settings.check()
    }
}
