import Kernel
import Telemetry
import Testing

@Suite("Logger")
struct LoggerTests {
    private let recorder = LogRecorder()

    private func logger(_ minimum: LogLevel = .debug) -> Logger {
        Logger(to: recorder, minimum: minimum) { Timestamp(seconds: 7) }
    }

    @Test("writes the fields it was given, those of the call behind them")
    func fields() {
        let request = logger().with(["requestID": "r1"]).with(["actor": "ann"])

        request.info("request answered", ["status": 200, "ratio": 0.5, "cached": true, "path": "\("/a")/b"])

        let expected: [LogField] = [
            LogField("requestID", "r1"), LogField("actor", "ann"), LogField("status", 200), LogField("ratio", 0.5),
            LogField("cached", true), LogField("path", "/a/b"),
        ]
        #expect(
            recorder.entries == [
                LogEntry(time: Timestamp(seconds: 7), level: .info, message: "request answered", fields: expected)
            ]
        )
    }

    @Test("replaces a field of the same name instead of writing it twice")
    func replaces() {
        let request = logger().with(["actor": "nobody", "route": "r"])

        request.with(["actor": "ann"]).notice("seen", ["route": "s"])

        #expect(recorder.entries.first?.fields == [LogField("actor", "ann"), LogField("route", "s")])
        #expect(recorder.entries.first?["actor"] == "ann")
        #expect(recorder.entries.first?["other"] == nil)
    }

    @Test("makes no entry below its level", arguments: LogLevel.allCases)
    func levels(minimum: LogLevel) {
        let logger = logger(minimum)

        logger.debug(costly(.debug, minimum))
        logger.info(costly(.info, minimum))
        logger.notice(costly(.notice, minimum))
        logger.warning(costly(.warning, minimum))
        logger.error(costly(.error, minimum))

        #expect(recorder.entries.map(\.level) == LogLevel.allCases.filter { $0 >= minimum })
        #expect(logger.writes(.error))
        #expect(logger.writes(.debug) == (minimum == .debug))
    }

    @Test("shows no secret")
    func redacted() {
        let secret = Redacted("hunter2")

        logger().error("sign-in failed", ["token": "\(secret)", "error": .error(ServiceError(.conflict, "no"))])

        #expect(recorder.entries.first?["token"] == "[redacted]")
    }

    @Test("writes times in milliseconds")
    func times() {
        logger().info("done", ["ms": .milliseconds(.microseconds(1_500))])

        #expect(recorder.entries.first?["ms"] == 1.5)
    }

    @Test("can be silent")
    func silent() {
        Logger.silent.with(["a": 1]).error("nobody hears this")

        #expect(!Logger.silent.writes(.error))
    }

    private func costly(_ level: LogLevel, _ minimum: LogLevel) -> String {
        #expect(level >= minimum, "the text was made although nobody reads it")
        return "text"
    }
}

@Suite("Configuration of the log")
struct LogConfigurationTests {
    @Test("is info as text unless set")
    func defaults() throws {
        let configuration = try LogConfiguration(settings: Settings([:]))

        #expect(configuration.minimum == .info)
        #expect(configuration.format == .text)
    }

    @Test("takes levels and formats in any case")
    func set() throws {
        let settings = Settings(["CAIRN_LOG_LEVEL": "WARNING", "CAIRN_LOG_FORMAT": "json"])

        let configuration = try LogConfiguration(settings: settings)

        #expect(configuration.minimum == .warning)
        #expect(configuration.format == .json)
    }

    @Test("names what it takes")
    func refuses() {
        let settings = Settings(["CAIRN_LOG_LEVEL": "loud", "CAIRN_LOG_FORMAT": "xml"])

        let error = #expect(throws: ConfigurationError.self) { try LogConfiguration(settings: settings) }

        #expect(
            error?.description == """
                CAIRN_LOG_LEVEL: found "loud"; takes one of debug, info, notice, warning, error
                CAIRN_LOG_FORMAT: found "xml"; takes one of text, json
                """
        )
    }
}
