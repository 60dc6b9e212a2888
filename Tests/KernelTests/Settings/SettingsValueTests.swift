import Kernel
import Testing

/// What one setting gave: its value as text, and the one problem it caused.
private struct Reading: Equatable {
    var value: String?
    var problem: String?
}

@Suite("Values of settings")
struct SettingsValueTests {
    private func reading<Value>(_ text: String?, _ read: (Settings) -> Value?) -> Reading {
        let settings = Settings(text.map { ["NAME": $0] } ?? [:]).section()
        let value = read(settings)
        var reading = Reading(value: value.map { "\($0)" })
        do { try settings.check() } catch { reading.problem = error.description }
        return reading
    }

    @Test(
        "lose one pair of matching quotes, and empty means unset",
        arguments: [
            ("plain", "plain"), ("'a.b.c'", "a.b.c"), ("\"a b\"", "a b"), ("''x''", "'x'"), ("'x", "'x"),
            ("'x\"", "'x\""), ("'", "'"), (" padded ", " padded "), ("", nil), ("''", nil), ("\"\"", nil), (nil, nil),
        ] as [(String?, String?)]
    )
    func quotes(text: String?, value: String?) {
        #expect(reading(text) { $0.string("NAME") } == Reading(value: value))
    }

    @Test(
        "that are whole numbers keep to their range",
        arguments: [
            ("1", "1"), ("65535", "65535"), (" 80\n", "80"), ("007", "7"), ("0", nil), ("65536", nil), ("-1", nil),
            ("1.5", nil), ("0x10", nil), ("99999999999999999999", nil), ("ten", nil), ("1 2", nil),
        ] as [(String, String?)]
    )
    func integers(text: String, value: String?) {
        let problem = "NAME: found \"\(text)\"; takes a whole number from 1 to 65535"

        let reading = reading(text) { $0.integer("NAME", in: 1...65_535) }

        #expect(reading == Reading(value: value, problem: value == nil ? problem : nil))
    }

    @Test(
        "that are times take numbers with units, largest first",
        arguments: [
            ("90s", 90_000), ("1h30m", 5_400_000), ("250ms", 250), ("1d", 86_400_000), ("0s", 0), ("2m5s10ms", 125_010),
            (" 5m ", 300_000), ("5", nil), ("m", nil), ("5m1h", nil), ("5m5m", nil), ("-5s", nil), ("5 s", nil),
            ("1.5h", nil), ("3d", nil), ("9223372036854775807d", nil), ("99999999999999999999s", nil), ("٣s", nil),
        ] as [(String, Int64?)]
    )
    func durations(text: String, milliseconds: Int64?) {
        let problem = "NAME: found \"\(text)\"; takes a time from 0s to 2d, such as 90s or 1h30m"

        let reading = reading(text) { $0.duration("NAME", in: .zero ... .seconds(172_800)) }

        let value = milliseconds.map { "\(Duration.milliseconds($0))" }
        #expect(reading == Reading(value: value, problem: value == nil ? problem : nil))
    }

    @Test(
        "that are URLs need a known scheme and a host",
        arguments: [
            ("s3://bucket?region=eu-west-1", true), ("azblob://container", true), ("S3://bucket", true),
            ("s3://user:word@host/path", true), ("s3://", false), ("s3://?x", false), ("s3:/bucket", false),
            ("https://bucket", false), ("bucket", false), ("s3://a b", false), ("s3://:9000", false), ("://x", false),
            ("s3://user@", false),
        ]
    )
    func urls(text: String, isGood: Bool) {
        let reading = reading(text) { $0.url("NAME", schemes: ["s3", "azblob"]) }

        #expect(reading.value == (isGood ? text : nil))
        #expect((reading.problem == nil) == isGood)
    }

    @Test("that are URLs with a password never show it")
    func hiddenPassword() {
        let reading = reading("ftp://user:pass@word@host/a@b") { $0.url("NAME", schemes: ["s3"]) }

        #expect(reading.problem == "NAME: found \"ftp://[redacted]@host/a@b\"; takes a URL that begins with s3://")
    }

    @Test(
        "that are one word of a list are found in any case",
        arguments: [("FULL", "FULL"), ("jobs", "JOBS"), (" Api ", "API"), ("ALL", nil), ("FULL,API", nil)]
            as [(String, String?)]
    )
    func choices(text: String, value: String?) {
        let problem = "NAME: found \"\(text)\"; takes one of FULL, API, JOBS"

        let reading = reading(text) { $0.choice("NAME", of: ["FULL", "API", "JOBS"]) }

        #expect(reading == Reading(value: value, problem: value == nil ? problem : nil))
    }

    @Test(
        "that are switches are strict",
        arguments: [
            ("true", "true"), ("TRUE", "true"), ("1", "true"), ("false", "false"), ("0", "false"), ("'false'", "false"),
            ("yes", nil), ("on", nil), ("2", nil), ("truee", nil), ("t", nil),
        ] as [(String, String?)]
    )
    func flags(text: String, value: String?) {
        let problem = "NAME: found \"\(text)\"; takes true, false, 1 or 0"

        let reading = reading(text) { $0.flag("NAME") }

        #expect(reading == Reading(value: value, problem: value == nil ? problem : nil))
    }

    @Test(
        "that are servers are read with and without port",
        arguments: [
            ("db", "db"), ("db:3306", "db:3306"), ("10.0.0.1:1", "10.0.0.1:1"), ("[::1]", "[::1]"),
            ("[fe80::1%eth0]:65535", "[fe80::1%eth0]:65535"), ("https://api.example.com/", "api.example.com"),
            ("HTTP://a:80", "a:80"), ("a_b.c-d", "a_b.c-d"), ("::1", nil), ("db:", nil), ("db:0", nil),
            ("db:65536", nil), ("db:x", nil), ("db:+1", nil), (":3306", nil), ("[::1", nil), ("[db]", nil), ("[]", nil),
            ("[::1]x", nil), ("mysql://db", nil), ("db/x", nil), ("a b", nil), ("https://", nil), ("u@h", nil),
            ("é.example", nil),
        ] as [(String, String?)]
    )
    func servers(text: String, value: String?) {
        let problem = "NAME: found \"\(text)\"; takes host or host:port (an IPv6 address in brackets)"

        let reading = reading(text) { $0.hostAndPort("NAME") }

        #expect(reading == Reading(value: value, problem: value == nil ? problem : nil))
    }

    @Test("that are servers with a scheme leave a warning")
    func schemeWarning() {
        let settings = Settings(["API": "https://api.example.com"])

        let server = settings.section().hostAndPort("API")

        #expect(server == HostAndPort(host: "api.example.com"))
        #expect(settings.warnings == ["API: takes host[:port] without a scheme; read as api.example.com"])
    }

    @Test("that do not fit are shown on one line, cut, with controls written out")
    func shownSafely() {
        let long = reading("x\n\u{1B}[31m\u{202E}\(String(repeating: "y", count: 500))") { $0.flag("NAME") }

        let problem = long.problem ?? ""
        #expect(problem.hasPrefix("NAME: found \"x\\n\\u{1b}[31m\\u{202e}yyy"))
        #expect(problem.hasSuffix("...\"; takes true, false, 1 or 0"))
        #expect(problem.utf8.count < 200)
    }

    @Test("that are secrets come redacted")
    func secrets() {
        let secret = Settings(["NAME": "hunter2"]).secret("NAME")

        #expect(secret?.reveal() == "hunter2")
        #expect(secret.map { "\($0)" } == "[redacted]")
        #expect(Settings([:]).secret("NAME")?.reveal() == nil)
    }

    @Test("fall back to the default when unset, and when they do not fit")
    func defaults() {
        let unset = Settings([:])
        let wrong = Settings(["A": "x", "B": "x", "C": "x", "D": "x", "E": "a b"])

        for settings in [unset, wrong] {
            #expect(settings.integer("A", in: 1...9, default: 7) == 7)
            #expect(settings.duration("B", in: .zero ... .seconds(9), default: .seconds(5)) == .seconds(5))
            #expect(settings.choice("C", of: ["p", "q"], default: "q") == "q")
            #expect(settings.flag("D", default: true) == true)
            #expect(settings.hostAndPort("E", default: HostAndPort(host: "h", port: 1)).description == "h:1")
            #expect(settings.string("F", default: "text") == "text")
        }
        #expect(throws: Never.self) { try unset.check() }
        let error = #expect(throws: ConfigurationError.self) { try wrong.check() }
        #expect(error?.problems.map(\.setting) == ["A", "B", "C", "D", "E"])
    }
}
