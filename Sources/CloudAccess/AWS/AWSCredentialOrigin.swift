package import Kernel

/// Where keys are to come from, as the settings and files say it; nothing was asked for yet.
package indirect enum AWSCredentialOrigin: Sendable, Equatable {
    case fixed(AWSCredentials)
    /// A role for whoever has the token in the file.
    case webIdentity(tokenFile: String, AWSConfiguration.Role)
    /// A program that prints keys, with its arguments.
    case process([String])
    case container(url: String, token: Redacted<String>?, tokenFile: String?)
    /// The machine itself.
    case instance(url: String)
    case role(AWSConfiguration.Role, externalID: String?, over: AWSCredentialOrigin)
}

/// What the settings and the files they name come to.
package struct AWSAccess: Sendable {
    package let configuration: AWSConfiguration
    package let region: String?
    package let origin: AWSCredentialOrigin

    /// Follows the order of the vendor's tools: keys, web identity, profile, container, machine; then `AWS_ROLE_ARN`.
    ///
    /// Blocks while it reads the files.
    package init(_ configuration: AWSConfiguration) throws(ConfigurationError) {
        self.configuration = configuration
        var plan = AWSCredentialPlan(configuration, profiles: try Self.profiles(configuration))
        region = configuration.region ?? plan.region
        origin = try plan.make()
    }

    private static func profiles(_ configuration: AWSConfiguration) throws(ConfigurationError) -> AWSProfiles {
        func text(_ path: String?, _ name: String) throws(ConfigurationError) -> String {
            guard let path else { return "" }
            do {
                return try SmallFile.read(path)
            } catch {
                if error.isMissing { return "" }
                throw ConfigurationError([.init(setting: name, text: error.description)])
            }
        }
        return AWSProfiles(
            config: try text(configuration.configFile, "AWS_CONFIG_FILE"),
            credentials: try text(configuration.credentialsFile, "AWS_SHARED_CREDENTIALS_FILE")
        )
    }
}

/// Decides about the origin.
private struct AWSCredentialPlan {
    private let configuration: AWSConfiguration
    private let profiles: AWSProfiles
    /// Profiles on the way, so that two which name each other end it.
    private var visited: [String] = []

    init(_ configuration: AWSConfiguration, profiles: AWSProfiles) {
        self.configuration = configuration
        self.profiles = profiles
    }

    var region: String? { profiles[configuration.profile ?? "default"]?["region"] }

    mutating func make() throws(ConfigurationError) -> AWSCredentialOrigin {
        if configuration.keys == nil, let file = configuration.tokenFile, let role = configuration.role {
            return .webIdentity(tokenFile: file, role)
        }
        let base = try base()
        // With a token file the role belongs to that; keys that are set as well go before both.
        guard let role = configuration.role, configuration.tokenFile == nil else { return base }
        return .role(role, externalID: nil, over: base)
    }

    private mutating func base() throws(ConfigurationError) -> AWSCredentialOrigin {
        if let keys = configuration.keys { return .fixed(keys) }
        if let profile = try profile(configuration.profile ?? "default", isRequired: configuration.profile != nil) {
            return profile
        }
        if let container { return container }
        if let instance { return instance }
        let text = """
            is not set, and there are no other keys of AWS: no token file, profile or container, and the machine's are \
            switched off by AWS_EC2_METADATA_DISABLED
            """
        throw problem(text, in: "AWS_ACCESS_KEY_ID")
    }

    private var container: AWSCredentialOrigin? {
        configuration.container.map { .container(url: $0.url, token: $0.token, tokenFile: $0.tokenFile) }
    }

    private var instance: AWSCredentialOrigin? { configuration.metadata.map { .instance(url: $0.url) } }

    /// Nil when the profile has no keys.
    private mutating func profile(
        _ name: String,
        isRequired: Bool
    ) throws(ConfigurationError) -> AWSCredentialOrigin? {
        guard let profile = profiles[name] else {
            guard isRequired else { return nil }
            let files = [configuration.configFile, configuration.credentialsFile].compactMap { $0 }
            throw problem("profile '\(name)' is neither in \(files.joined(separator: " nor in "))")
        }
        guard !visited.contains(name) else { throw problem("profile '\(name)' is its own source_profile in the end") }
        visited.append(name)
        if let arn = profile["role_arn"] {
            return try role(.init(arn: arn, session: profile["role_session_name"] ?? configuration.sessionName), name)
        }
        if let keys = try keys(profile, name) { return .fixed(keys) }
        if profile["sso_session"] != nil || profile["sso_start_url"] != nil || profile["login_session"] != nil {
            throw problem("profile '\(name)' needs a login in a browser, which a server cannot do; use keys or a role")
        }
        guard let command = profile["credential_process"] else { return nil }
        guard let words = ShellWords.split(command), !words.isEmpty else {
            throw problem("profile '\(name)': credential_process has a quote that does not end, or is empty")
        }
        return .process(words)
    }

    private mutating func role(
        _ role: AWSConfiguration.Role,
        _ name: String
    ) throws(ConfigurationError) -> AWSCredentialOrigin {
        let profile = profiles[name] ?? [:]
        if let file = profile["web_identity_token_file"] { return .webIdentity(tokenFile: file, role) }
        guard profile["mfa_serial"] == nil else {
            throw problem("profile '\(name)' asks for a second factor (mfa_serial), which a server does not have")
        }
        let base: AWSCredentialOrigin?
        switch (profile["source_profile"], profile["credential_source"]) {
        case (name?, nil): base = try keys(profile, name).map { .fixed($0) }
        case (let source?, nil): base = try self.profile(source, isRequired: true)
        case (nil, "Environment"): base = configuration.keys.map { .fixed($0) }
        case (nil, "EcsContainer"): base = container
        case (nil, "Ec2InstanceMetadata"): base = instance
        case (nil, let other?):
            throw problem("profile '\(name)' has the credential_source '\(other)', which is not known")
        case (.some, .some):
            throw problem("profile '\(name)' has both source_profile and credential_source")
        case (nil, nil):
            throw problem("profile '\(name)' has a role_arn, but neither source_profile nor credential_source")
        }
        guard let base else {
            throw problem("profile '\(name)' has a role_arn, and there are no keys to take it on with")
        }
        return .role(role, externalID: profile["external_id"], over: base)
    }

    private func keys(_ profile: [String: String], _ name: String) throws(ConfigurationError) -> AWSCredentials? {
        switch (profile["aws_access_key_id"], profile["aws_secret_access_key"]) {
        case (nil, nil): return nil
        case (let id?, let secret?):
            return AWSCredentials(
                accessKeyID: id,
                secretAccessKey: Redacted(secret),
                sessionToken: profile["aws_session_token"].map { Redacted($0) }
            )
        default:
            throw problem("profile '\(name)' has only one of aws_access_key_id and aws_secret_access_key")
        }
    }

    private func problem(_ text: String, in setting: String = "AWS_PROFILE") -> ConfigurationError {
        ConfigurationError([.init(setting: setting, text: text)])
    }
}
