package import Kernel

/// How AWS, or whoever speaks its protocols, is reached and with whose keys.
///
/// The names are those of the vendor's tools, so that what works for them works here.
///
/// | Variable | Meaning | Default |
/// |---|---|---|
/// | `AWS_REGION` | Region of the services | `AWS_DEFAULT_REGION` |
/// | `AWS_DEFAULT_REGION` | The same, where `AWS_REGION` is not set | that of the profile |
/// | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` | Keys; secret | none |
/// | `AWS_SESSION_TOKEN` | Belongs to temporary keys; secret | none |
/// | `AWS_ROLE_ARN` | Role that is taken on with the keys, or with the token of the next one | none |
/// | `AWS_WEB_IDENTITY_TOKEN_FILE` | File with a token that the role accepts | none |
/// | `AWS_ROLE_SESSION_NAME` | How the session is called in AWS's logs | `cairn` |
/// | `AWS_PROFILE` | Profile in the two files below | `default` |
/// | `AWS_CONFIG_FILE` | Profiles | `.aws/config` in the home folder |
/// | `AWS_SHARED_CREDENTIALS_FILE` | Profiles' keys | `.aws/credentials` in the home folder |
/// | `HOME` | Home folder | none |
/// | `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` | Set by ECS: where a task gets its keys | none |
/// | `AWS_CONTAINER_CREDENTIALS_FULL_URI` | Set by EKS and others: the same | none |
/// | `AWS_CONTAINER_AUTHORIZATION_TOKEN` | Sent there; secret | none |
/// | `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE` | File with what is sent there | none |
/// | `AWS_EC2_METADATA_DISABLED` | Whether the machine is not asked for keys | `false` |
/// | `AWS_EC2_METADATA_SERVICE_ENDPOINT` | Where the machine is asked | `http://169.254.169.254` |
/// | `AWS_ENDPOINT_URL` | Address of every service | the vendor's |
/// | `AWS_ENDPOINT_URL_DYNAMODB`, `AWS_ENDPOINT_URL_KMS`, `AWS_ENDPOINT_URL_STS` | Address of one service | the vendor's |
package struct AWSConfiguration: Sendable {
    /// A role and what the session is called.
    package struct Role: Sendable, Equatable {
        package let arn: String
        package let session: String

        package init(arn: String, session: String) {
            self.arn = arn
            self.session = session
        }
    }

    /// Where containers get keys.
    struct Container: Sendable, Equatable {
        let url: String
        let token: Redacted<String>?
        let tokenFile: String?
    }

    package let region: String?
    let keys: AWSCredentials?
    private(set) var role: Role?
    let sessionName: String
    let tokenFile: String?
    private(set) var profile: String?
    let configFile: String?
    let credentialsFile: String?
    let container: Container?
    /// Nil when the machine must not be asked.
    let metadata: ServiceAddress?
    private let endpoint: ServiceAddress?
    private let endpoints: [String: ServiceAddress]

    package init(settings: Settings) throws(ConfigurationError) {
        let settings = settings.section()
        let other = settings.string("AWS_DEFAULT_REGION")
        region = settings.string("AWS_REGION") ?? other
        keys = Self.keys(settings)
        sessionName = settings.string("AWS_ROLE_SESSION_NAME", default: "cairn")
        role = settings.string("AWS_ROLE_ARN").map { [sessionName] in Role(arn: $0, session: sessionName) }
        tokenFile = settings.string("AWS_WEB_IDENTITY_TOKEN_FILE")
        if tokenFile != nil, role == nil { settings.allOf("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN") }
        profile = settings.string("AWS_PROFILE")
        let home = settings.string("HOME")
        configFile = settings.string("AWS_CONFIG_FILE") ?? home.map { "\($0)/.aws/config" }
        credentialsFile = settings.string("AWS_SHARED_CREDENTIALS_FILE") ?? home.map { "\($0)/.aws/credentials" }
        container = Self.container(settings)
        let isDisabled = settings.flag("AWS_EC2_METADATA_DISABLED", default: false)
        let machine = Self.address("AWS_EC2_METADATA_SERVICE_ENDPOINT", settings)
        metadata = isDisabled ? nil : machine ?? ServiceAddress("http://169.254.169.254")
        endpoint = Self.address("AWS_ENDPOINT_URL", settings)
        endpoints = [
            "dynamodb": Self.address("AWS_ENDPOINT_URL_DYNAMODB", settings),
            "kms": Self.address("AWS_ENDPOINT_URL_KMS", settings),
            "sts": Self.address("AWS_ENDPOINT_URL_STS", settings),
        ].compactMapValues { $0 }
        try settings.check()
    }

    /// The same with another profile and another role to take on, where they are given.
    package func with(profile: String?, role arn: String?) -> AWSConfiguration {
        var other = self
        if let profile { other.profile = profile }
        if let arn { other.role = Role(arn: arn, session: sessionName) }
        return other
    }

    /// Where a service of a region is reached, unless the operator said otherwise.
    package func address(of service: String, in region: String) -> ServiceAddress {
        endpoints[service] ?? endpoint ?? ServiceAddress(host: "\(service).\(region).\(Self.domain(of: region))")
    }

    /// Each partition of AWS has a domain of its own.
    package static func domain(of region: String) -> String {
        let domains = [
            ("cn-", "amazonaws.com.cn"), ("us-isob-", "sc2s.sgov.gov"), ("us-isof-", "csp.hci.ic.gov"),
            ("us-iso-", "c2s.ic.gov"), ("eu-isoe-", "cloud.adc-e.uk"), ("eusc-", "amazonaws.eu"),
        ]
        return domains.first { region.hasPrefix($0.0) }?.1 ?? "amazonaws.com"
    }

    // MARK: - Reading

    private static func keys(_ settings: Settings) -> AWSCredentials? {
        let id = settings.string("AWS_ACCESS_KEY_ID")
        let secret = settings.secret("AWS_SECRET_ACCESS_KEY")
        let token = settings.secret("AWS_SESSION_TOKEN")
        settings.allOf("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        guard let id, let secret else { return nil }
        return AWSCredentials(accessKeyID: id, secretAccessKey: secret, sessionToken: token)
    }

    private static func address(_ name: String, _ settings: Settings) -> ServiceAddress? {
        guard let text = settings.url(name, schemes: ["https", "http"]) else { return nil }
        if let address = ServiceAddress(text) { return address }
        settings.report(name, "takes a URL of a host and perhaps a path, without a user and without a query")
        return nil
    }

    private static func container(_ settings: Settings) -> Container? {
        let relative = settings.string("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
        let full = settings.string("AWS_CONTAINER_CREDENTIALS_FULL_URI")
        let token = settings.secret("AWS_CONTAINER_AUTHORIZATION_TOKEN")
        let file = settings.string("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
        if let relative {
            let url = "http://169.254.170.2\(relative)"
            guard relative.hasPrefix("/"), Self.host(of: url) != nil else {
                settings.report("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "takes a path such as /v2/credentials/…")
                return nil
            }
            return Container(url: url, token: token, tokenFile: file)
        }
        guard let full else { return nil }
        guard let host = Self.host(of: full), mayGiveKeys(host) else {
            settings.report(
                "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                "takes an https URL, or an http URL of this machine, 169.254.170.2, 169.254.170.23 or fd00:ec2::23"
            )
            return nil
        }
        return Container(url: full, token: token, tokenFile: file)
    }

    /// Without the query, which may hold anything that a URL can.
    private static func host(of url: String) -> ServiceAddress? {
        guard url.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
        return ServiceAddress(String(url.prefix { $0 != "?" }))
    }

    /// Keys travel without TLS only on this machine and on links that the clouds run.
    private static func mayGiveKeys(_ url: ServiceAddress) -> Bool {
        let known = ["169.254.170.2", "169.254.170.23", "fd00:ec2::23"]
        return url.scheme == "https" || url.isLoopback || known.contains(url.host.host.lowercased())
    }
}
