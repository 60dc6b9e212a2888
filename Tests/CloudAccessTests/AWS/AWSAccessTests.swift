import CloudAccess
import Kernel
import Testing

@Suite("Where keys of AWS come from")
struct AWSAccessTests {
    private let files: TemporaryFiles

    init() throws {
        files = try TemporaryFiles()
    }

    private func access(
        _ environment: [String: String],
        config: String = "",
        credentials: String = ""
    ) throws -> AWSAccess {
        var environment = environment
        environment["AWS_CONFIG_FILE"] = try files.write("config", config)
        environment["AWS_SHARED_CREDENTIALS_FILE"] = try files.write("credentials", credentials)
        return try AWSAccess(AWSConfiguration(settings: Settings(environment)))
    }

    private static func keys(_ id: String, token: String? = nil) -> AWSCredentials {
        AWSCredentials(
            accessKeyID: id,
            secretAccessKey: Redacted("secret of \(id)"),
            sessionToken: token.map { Redacted($0) }
        )
    }

    private static let set = ["AWS_ACCESS_KEY_ID": "SET", "AWS_SECRET_ACCESS_KEY": "secret of SET"]
    private static let web = ["AWS_WEB_IDENTITY_TOKEN_FILE": "/token", "AWS_ROLE_ARN": "arn:web"]
    private static let ecs = ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/x"]
    private static let stored = "[default]\naws_access_key_id = FILE\naws_secret_access_key=secret of FILE\n"
    private static let machine = AWSCredentialOrigin.instance(url: "http://169.254.169.254")
    private static let task = AWSCredentialOrigin.container(
        url: "http://169.254.170.2/v2/x",
        token: nil,
        tokenFile: nil
    )

    private static func role(_ arn: String, _ session: String = "cairn") -> AWSConfiguration.Role {
        AWSConfiguration.Role(arn: arn, session: session)
    }

    @Test(
        "follows the order of the vendor's tools",
        arguments: [
            (set.merging(web) { $1 }.merging(ecs) { $1 }, .fixed(keys("SET"))),
            (
                set.merging(["AWS_SESSION_TOKEN": "t"]) { $1 }, .fixed(keys("SET", token: "t"))
            ),
            (web.merging(ecs) { $1 }, .webIdentity(tokenFile: "/token", role("arn:web"))),
            (
                web.merging(["AWS_ROLE_SESSION_NAME": "me"]) { $1 },
                .webIdentity(tokenFile: "/token", role("arn:web", "me"))
            ),
            (ecs, .fixed(keys("FILE"))),
            (
                set.merging(["AWS_ROLE_ARN": "arn:r"]) { $1 },
                .role(role("arn:r"), externalID: nil, over: .fixed(keys("SET")))
            ),
            (["AWS_ROLE_ARN": "arn:r"], .role(role("arn:r"), externalID: nil, over: .fixed(keys("FILE")))),
        ] as [([String: String], AWSCredentialOrigin)]
    )
    func order(environment: [String: String], origin: AWSCredentialOrigin) throws {
        #expect(try access(environment, credentials: Self.stored).origin == origin)
    }

    @Test("asks the container, and the machine at last, where there are no files")
    func withoutFiles() throws {
        #expect(try access(Self.ecs).origin == Self.task)
        #expect(try access([:]).origin == Self.machine)
        #expect(
            try access(["AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1338/"]).origin
                == .instance(url: "http://127.0.0.1:1338")
        )
        let error = #expect(throws: ConfigurationError.self) { try access(["AWS_EC2_METADATA_DISABLED": "true"]) }
        #expect(error?.problems.map(\.setting) == ["AWS_ACCESS_KEY_ID"])
    }

    @Test("reads profiles as the vendor's tools do: both files, comments, sections of other things, indented lines")
    func profiles() throws {
        let config = """
            # a comment
            [default]
            region = eu-west-1   ; behind a value
            [profile  work]
            region=eu-central-1
            s3 =
              aws_access_key_id = NOT-THIS
            aws_access_key_id = CONFIG
            aws_secret_access_key = secret of CONFIG
            [work]
            region = not-this
            [sso-session work]
            region = nor-this
            [profile tokens]
            aws_access_key_id=A#B;C
            aws_secret_access_key=secret of A#B;C
            aws_session_token=t
            """
        let credentials = "[work]\r\naws_access_key_id = WORK\r\naws_secret_access_key = secret of WORK\r\n"

        let work = try access(["AWS_PROFILE": "work"], config: config, credentials: credentials)
        let tokens = try access(["AWS_PROFILE": "tokens"], config: config)
        let other = try access(["AWS_REGION": "ap-south-1"], config: config)

        #expect(work.origin == .fixed(Self.keys("WORK")))
        #expect(work.region == "eu-central-1")
        #expect(tokens.origin == .fixed(Self.keys("A#B;C", token: "t")))
        #expect(tokens.region == nil)
        #expect(other.region == "ap-south-1")
        #expect(try access([:], config: config).region == "eu-west-1")
        #expect(try access(["AWS_DEFAULT_REGION": "us-west-2"], config: config).region == "us-west-2")
    }

    @Test(
        "takes on roles of profiles",
        arguments: [
            (
                "role_arn=arn:p\nsource_profile=base\nexternal_id=x", [:],
                .role(role("arn:p"), externalID: "x", over: .fixed(keys("BASE")))
            ),
            (
                "role_arn=arn:p\nsource_profile=chain\nrole_session_name=s", [:],
                .role(
                    role("arn:p", "s"),
                    externalID: nil,
                    over: .role(role("arn:c"), externalID: nil, over: .fixed(keys("BASE")))
                )
            ),
            (
                "role_arn=arn:p\nsource_profile=p\naws_access_key_id=P\naws_secret_access_key=secret of P", [:],
                .role(role("arn:p"), externalID: nil, over: .fixed(keys("P")))
            ),
            (
                "role_arn=arn:p\ncredential_source=Ec2InstanceMetadata", [:],
                .role(role("arn:p"), externalID: nil, over: machine)
            ),
            ("role_arn=arn:p\ncredential_source=EcsContainer", ecs, .role(role("arn:p"), externalID: nil, over: task)),
            ("role_arn=arn:p\nweb_identity_token_file=/t", [:], .webIdentity(tokenFile: "/t", role("arn:p"))),
            (
                #"credential_process = "/opt/my tool" --x 'a b' c\ d"#, [:],
                .process(["/opt/my tool", "--x", "a b", "c d"])
            ),
            ("region=x", ecs, task),
        ] as [(String, [String: String], AWSCredentialOrigin)]
    )
    func roles(profile: String, environment: [String: String], origin: AWSCredentialOrigin) throws {
        let config = """
            [profile base]
            aws_access_key_id=BASE
            aws_secret_access_key=secret of BASE
            [profile chain]
            role_arn=arn:c
            source_profile=base
            [profile p]
            \(profile)
            """

        let access = try access(environment.merging(["AWS_PROFILE": "p"]) { $1 }, config: config)

        #expect(access.origin == origin)
    }

    @Test(
        "refuses profiles that cannot work, and says why",
        arguments: [
            ("role_arn=arn:p\nsource_profile=loop", "is its own source_profile"),
            ("role_arn=arn:p\nsource_profile=p", "there are no keys to take it on with"),
            ("role_arn=arn:p\nsource_profile=nowhere", "'nowhere' is neither in"),
            ("role_arn=arn:p", "neither source_profile nor credential_source"),
            ("role_arn=arn:p\nsource_profile=p\ncredential_source=EcsContainer", "both"),
            ("role_arn=arn:p\ncredential_source=EcsContainer", "there are no keys"),
            ("role_arn=arn:p\ncredential_source=Environment", "there are no keys"),
            ("role_arn=arn:p\ncredential_source=Elsewhere", "'Elsewhere'"),
            ("role_arn=arn:p\nsource_profile=loop\nmfa_serial=arn:m", "second factor"),
            ("aws_access_key_id=P", "only one of"),
            ("sso_session=work", "login in a browser"),
            ("sso_start_url=https://x", "login in a browser"),
            ("credential_process='x", "quote that does not end"),
        ]
    )
    func refuses(profile: String, text: String) throws {
        let config = "[profile p]\n\(profile)\n[profile loop]\nrole_arn=arn:l\nsource_profile=p\n"

        let error = #expect(throws: ConfigurationError.self) { try access(["AWS_PROFILE": "p"], config: config) }

        #expect(error?.problems.map(\.setting) == ["AWS_PROFILE"])
        #expect(error?.description.contains(text) == true, "\(error?.description ?? "")")
    }

    @Test("refuses a profile that is named and does not exist, and a file that cannot be read")
    func missing() throws {
        let named = #expect(throws: ConfigurationError.self) { try access(["AWS_PROFILE": "none"]) }
        let unreadable = #expect(throws: ConfigurationError.self) {
            try AWSAccess(AWSConfiguration(settings: Settings(["AWS_CONFIG_FILE": files.path])))
        }

        #expect(named?.description.contains("'none' is neither in") == true)
        #expect(unreadable?.problems.map(\.setting) == ["AWS_CONFIG_FILE"])
    }

    @Test(
        "reports every setting that is wrong",
        arguments: [
            (["AWS_ACCESS_KEY_ID": "A"], ["AWS_ACCESS_KEY_ID"]),
            (["AWS_SECRET_ACCESS_KEY": "hidden"], ["AWS_SECRET_ACCESS_KEY"]),
            (["AWS_WEB_IDENTITY_TOKEN_FILE": "/t"], ["AWS_WEB_IDENTITY_TOKEN_FILE"]),
            (["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "x"], ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"]),
            (["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://10.0.0.1/x"], ["AWS_CONTAINER_CREDENTIALS_FULL_URI"]),
            (
                ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://10.0.0.1?@127.0.0.1/"],
                ["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
            ),
            (
                ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1@10.0.0.1/"],
                ["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
            ),
            (
                ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://localhost.example/x"],
                ["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
            ),
            (
                ["AWS_ENDPOINT_URL": "kms", "AWS_ENDPOINT_URL_STS": "https://u:hidden@h", "AWS_ACCESS_KEY_ID": "A"],
                ["AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS"]
            ),
        ] as [([String: String], [String])]
    )
    func problems(environment: [String: String], names: [String]) {
        let error = #expect(throws: ConfigurationError.self) { try AWSConfiguration(settings: Settings(environment)) }

        #expect(error?.problems.map(\.setting).sorted() == names)
        #expect(error?.description.contains("hidden") == false)
    }

    @Test(
        "lets containers have their keys from this machine, from known links, and with TLS",
        arguments: [
            "http://127.0.0.1:51679/x", "http://localhost/x", "http://[::1]:80/x",
            "http://169.254.170.23/v1/credentials",
            "http://[fd00:ec2::23]/v1/credentials", "https://keys.example/x?id=1&y=a/b",
        ]
    )
    func containers(url: String) throws {
        let environment = [
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": url, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "Basic x",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/t",
        ]

        #expect(try access(environment).origin == .container(url: url, token: Redacted("Basic x"), tokenFile: "/t"))
    }

    @Test(
        "knows where services are",
        arguments: [
            ([:], "kms", "eu-west-1", "https://kms.eu-west-1.amazonaws.com"),
            ([:], "sts", "cn-north-1", "https://sts.cn-north-1.amazonaws.com.cn"),
            ([:], "kms", "us-gov-west-1", "https://kms.us-gov-west-1.amazonaws.com"),
            ([:], "kms", "us-isob-east-1", "https://kms.us-isob-east-1.sc2s.sgov.gov"),
            (["AWS_ENDPOINT_URL": "http://moto:5000/"], "kms", "x", "http://moto:5000"),
            (
                ["AWS_ENDPOINT_URL": "http://moto:5000", "AWS_ENDPOINT_URL_KMS": "https://[::2]:1/k"], "kms", "x",
                "https://[::2]:1/k"
            ),
            (["AWS_ENDPOINT_URL_KMS": "https://h"], "sts", "x", "https://sts.x.amazonaws.com"),
        ] as [([String: String], String, String, String)]
    )
    func addresses(environment: [String: String], service: String, region: String, url: String) throws {
        let configuration = try AWSConfiguration(settings: Settings(environment))

        #expect(configuration.address(of: service, in: region).url == url)
    }

    @Test(
        "splits commands as a shell does",
        arguments: [
            ("", []), ("  a\tb  ", ["a", "b"]), (#"a "" ''"#, ["a", "", ""]), (#"a\ b\\c"#, [#"a b\c"#]),
            (#""a\"b\n" 'c\d'"#, [#"a"b\n"#, #"c\d"#]), (#"x"y"'z'"#, ["xyz"]), ("'a", nil), (#""a\""#, nil),
            ("$HOME `id` > *", ["$HOME", "`id`", ">", "*"]),
        ] as [(String, [String]?)]
    )
    func splits(text: String, words: [String]?) {
        #expect(ShellWords.split(text) == words)
    }
}
