package import Kernel

/// Settings of the vendor's server that installers set and that mean nothing here, or nothing yet.
///
/// Reading them keeps installers working and `cairn check` complete. What would change where data goes or who can read it
/// is not among them: `ObjectStorage` and `Encryption` read those.
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
        "SAML_CERTIFICATE_PUBLIC_KEY", "RECAPTCHA_SECRET_KEY",
    ]

    /// Reads all of them, with a warning where one is due.
    package static func read(_ settings: Settings) throws(ConfigurationError) {
        let settings = settings.section()
        for name in ignored { _ = settings.secret(name) }
        for name in notYet where settings.secret(name) != nil {
            settings.warn(name, "this version has no use for it yet")
        }
        try settings.check()
    }
}
