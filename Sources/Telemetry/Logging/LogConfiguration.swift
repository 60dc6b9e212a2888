package import Kernel

/// What is logged, and in which form.
///
/// | Variable | Meaning | Default |
/// |---|---|---|
/// | `CAIRN_LOG_LEVEL` | The least that is written: `debug`, `info`, `notice`, `warning` or `error` | `info` |
/// | `CAIRN_LOG_FORMAT` | `text` for people, `json` for programs; one line per entry in both | `text` |
package struct LogConfiguration: Sendable, Equatable {
    package let minimum: LogLevel
    package let format: LogFormat

    package init(settings: Settings) throws(ConfigurationError) {
        let settings = settings.section()
        let levels = LogLevel.allCases.map(\.description)
        let level = settings.choice("CAIRN_LOG_LEVEL", of: levels, default: LogLevel.info.description)
        let format = settings.choice(
            "CAIRN_LOG_FORMAT",
            of: LogFormat.allCases.map(\.rawValue),
            default: LogFormat.text.rawValue
        )
        try settings.check()
        minimum = LogLevel.allCases.first { $0.description == level } ?? .info
        self.format = LogFormat(rawValue: format) ?? .text
    }
}
