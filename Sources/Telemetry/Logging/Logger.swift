package import Kernel

/// Writes structured entries with the fields it was given.
///
/// Passed to those who log, with the fields of the request or job already in it. Log once, at the edge; secrets are
/// `Redacted` and stay so.
package struct Logger: Sendable {
    private let sink: (any LogSink)?
    private let minimum: LogLevel
    private let now: @Sendable () -> Timestamp
    private let fields: [LogField]

    /// - Parameter minimum: entries below it are not made at all.
    package init(to sink: any LogSink, minimum: LogLevel, now: @escaping @Sendable () -> Timestamp) {
        self.init(sink: sink, minimum: minimum, now: now, fields: [])
    }

    private init(
        sink: (any LogSink)?,
        minimum: LogLevel,
        now: @escaping @Sendable () -> Timestamp,
        fields: [LogField]
    ) {
        self.sink = sink
        self.minimum = minimum
        self.now = now
        self.fields = fields
    }

    /// Says nothing.
    package static let silent = Logger(
        sink: nil,
        minimum: .error,
        now: { Timestamp(microseconds: 0) },
        fields: []
    )

    /// The same logger with more fields; a field of the same name is replaced.
    package func with(_ more: KeyValuePairs<String, LogValue>) -> Logger {
        Logger(sink: sink, minimum: minimum, now: now, fields: merged(more))
    }

    /// Whether entries of the level are written, for those who would have to prepare a lot.
    package func writes(_ level: LogLevel) -> Bool {
        sink != nil && level >= minimum
    }

    package func log(
        _ level: LogLevel,
        _ message: @autoclosure () -> String,
        _ more: @autoclosure () -> KeyValuePairs<String, LogValue> = [:]
    ) {
        guard let sink, level >= minimum else { return }
        sink.write(LogEntry(time: now(), level: level, message: message(), fields: merged(more())))
    }

    package func error(
        _ message: @autoclosure () -> String,
        _ more: @autoclosure () -> KeyValuePairs<String, LogValue> = [:]
    ) {
        log(.error, message(), more())
    }

    package func warning(
        _ message: @autoclosure () -> String,
        _ more: @autoclosure () -> KeyValuePairs<String, LogValue> = [:]
    ) {
        log(.warning, message(), more())
    }

    package func notice(
        _ message: @autoclosure () -> String,
        _ more: @autoclosure () -> KeyValuePairs<String, LogValue> = [:]
    ) {
        log(.notice, message(), more())
    }

    package func info(
        _ message: @autoclosure () -> String,
        _ more: @autoclosure () -> KeyValuePairs<String, LogValue> = [:]
    ) {
        log(.info, message(), more())
    }

    package func debug(
        _ message: @autoclosure () -> String,
        _ more: @autoclosure () -> KeyValuePairs<String, LogValue> = [:]
    ) {
        log(.debug, message(), more())
    }

    private func merged(_ more: KeyValuePairs<String, LogValue>) -> [LogField] {
        if more.isEmpty { return fields }
        var result = fields
        result.reserveCapacity(fields.count + more.count)
        for (name, value) in more {
            if let index = result.firstIndex(where: { $0.name == name }) {
                result[index] = LogField(name, value)
            } else {
                result.append(LogField(name, value))
            }
        }
        return result
    }
}
