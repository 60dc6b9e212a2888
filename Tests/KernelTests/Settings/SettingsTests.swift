import Kernel
import Testing

/// A configuration struct as modules write them.
private struct MailConfiguration: Equatable {
    let server: HostAndPort?
    let port: Int

    init(settings: Settings) throws(ConfigurationError) {
        let settings = settings.section()
        server = settings.hostAndPort("SMTP_SERVER")
        port = settings.integer("CAIRN_MAIL_PORT", in: 1...65_535, default: 25)
        try settings.check()
    }
}

@Suite("Settings")
struct SettingsTests {
    @Test("report every problem of a struct, one a line")
    func allProblems() {
        let settings = Settings(["SMTP_SERVER": "a b", "CAIRN_MAIL_PORT": "no"])

        let error = #expect(throws: ConfigurationError.self) { try MailConfiguration(settings: settings) }

        #expect(
            error?.description == """
                SMTP_SERVER: found "a b"; takes host or host:port (an IPv6 address in brackets)
                CAIRN_MAIL_PORT: found "no"; takes a whole number from 1 to 65535
                """
        )
    }

    @Test("keep the problems of one section out of another, and collect those of all that are built")
    func sections() {
        let settings = Settings(["CAIRN_MAIL_PORT": "0", "B": "maybe"])

        let mail = settings.build { (settings) throws(ConfigurationError) in try MailConfiguration(settings: settings) }
        let other = settings.section()
        _ = other.flag("B")

        #expect(mail == nil)
        #expect(throws: ConfigurationError([.init(setting: "B", text: "found \"maybe\"; takes true, false, 1 or 0")])) {
            try other.check()
        }
        let error = #expect(throws: ConfigurationError.self) { try settings.check() }
        #expect(error?.problems.map(\.setting) == ["CAIRN_MAIL_PORT"])
    }

    @Test("give the struct when it can be built")
    func builds() throws {
        let settings = Settings(["SMTP_SERVER": "mail:465"])

        let mail = settings.build { (settings) throws(ConfigurationError) in try MailConfiguration(settings: settings) }

        try settings.check()
        #expect(mail?.server == HostAndPort(host: "mail", port: 465))
        #expect(mail?.port == 25)
    }

    @Test(
        "that belong together are refused when some are missing",
        arguments: [
            ([:], nil), (["A": "1", "B": "1", "C": "1"], nil),
            (["A": "1"], "A: needs B and C as well; set all of them or none"),
            (["C": "1", "A": "", "B": "1"], "B: needs A as well; set all of them or none"),
        ] as [([String: String], String?)]
    )
    func together(environment: [String: String], problem: String?) {
        let settings = Settings(environment)

        settings.allOf("A", "B", "C")

        #expect(problems(of: settings) == problem)
    }

    @Test(
        "that exclude each other are refused by name",
        arguments: [
            ([:], nil), (["A": "1"], nil), (["C": "1", "A": "''"], nil),
            (["A": "1", "C": "1"], "A: cannot be set together with C"),
            (["A": "1", "B": "1", "C": "1"], "A: cannot be set together with B and C"),
        ] as [([String: String], String?)]
    )
    func exclusive(environment: [String: String], problem: String?) {
        let settings = Settings(environment)

        settings.atMostOne(of: ["A", "B", "C"])

        #expect(problems(of: settings) == problem)
    }

    @Test(
        "are found under their older names",
        arguments: [
            (["NEW": "n"], "n", nil), (["OLD": "o"], "o", nil), (["OLD": "x", "NEW": "x"], "x", nil),
            (["OLD": "o", "NEW": ""], "o", nil), ([:], nil, nil),
            (
                ["OLD": "secret1", "NEW": "secret2"], "secret2",
                "NEW: OLD is the older name of this setting and has a different value; set only NEW"
            ),
        ] as [([String: String], String?, String?)]
    )
    func olderNames(environment: [String: String], value: String?, problem: String?) {
        let settings = Settings(environment)

        settings.alias("OLD", of: "NEW")

        #expect(settings.string("NEW") == value)
        #expect(problems(of: settings) == problem)
    }

    @Test("name the variable that was set in the problem, also an older one")
    func problemNamesOlder() {
        let settings = Settings(["OLD": "no"])
        settings.alias("OLD", of: "NEW")

        _ = settings.integer("NEW", in: 0...1)

        #expect(problems(of: settings) == "OLD: found \"no\"; takes a whole number from 0 to 1")
        #expect(settings.effective.map(\.description) == ["NEW = no (set as OLD)"])
    }

    @Test("with our prefix that nobody reads are misspellings, and the nearest name is proposed")
    func unknown() {
        let settings = Settings([
            "CAIRN_MAIL_PROT": "hunter2", "CAIRN_MAIL_PORT": "1", "CAIRN_SOMETHING_ELSE": "x", "CAIRN_EMPTY": "",
            "PULUMI_ANYTHING": "x", "HOME": "/root",
        ])
        _ = settings.section().integer("CAIRN_MAIL_PORT", in: 1...9)

        settings.reportUnknown()

        #expect(
            problems(of: settings) == """
                CAIRN_MAIL_PROT: is not a setting; did you mean CAIRN_MAIL_PORT?
                CAIRN_SOMETHING_ELSE: is not a setting
                """
        )
    }

    @Test("know older names, so that they are no misspellings")
    func olderNamesAreKnown() {
        let settings = Settings(["CAIRN_OLD": "1"])
        settings.section().alias("CAIRN_OLD", of: "CAIRN_NEW")

        settings.reportUnknown()

        #expect(problems(of: settings) == nil)
    }

    @Test("can be listed as they are in force, without secrets")
    func effective() {
        let settings = Settings([
            "PORT": "8443", "TOKEN": "hunter2", "PROXY": "http://me:pw@proxy:3128", "TEXT": "a\nb", "BAD": "x",
        ])
        let section = settings.section()
        _ = section.integer("PORT", in: 1...65_535, default: 8080)
        _ = section.integer("BAD", in: 1...65_535, default: 1)
        _ = section.duration("WAIT", in: .zero ... .seconds(600), default: .milliseconds(90_500))
        _ = section.secret("TOKEN")
        _ = section.secret("OTHER_TOKEN")
        _ = section.url("PROXY", schemes: ["http"])
        _ = section.string("TEXT")
        _ = section.flag("SWITCH", default: false)

        let lines = settings.effective.map(\.description)

        #expect(
            lines == [
                "BAD = x (set)", "OTHER_TOKEN is not set", "PORT = 8443 (set)",
                "PROXY = http://[redacted]@proxy:3128 (set)", "SWITCH = false (default)", "TEXT = a\\nb (set)",
                "TOKEN = [redacted] (set)", "WAIT = 1m30s500ms (default)",
            ]
        )
    }

    @Test("of the process hold what it was started with")
    func process() {
        #expect(Settings.processEnvironment()["PATH"]?.isEmpty == false)
    }

    private func problems(of settings: Settings) -> String? {
        do {
            try settings.check()
            return nil
        } catch {
            return error.description
        }
    }
}
