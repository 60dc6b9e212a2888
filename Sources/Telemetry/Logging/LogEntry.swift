package import Kernel

/// How much an entry asks of its reader.
package enum LogLevel: Int, Comparable, Sendable, CaseIterable, CustomStringConvertible {
    /// Why something happened.
    case debug
    /// One line per request.
    case info
    /// The life cycle of the process and its parts.
    case notice
    /// Degraded, and going on.
    case warning
    /// Someone must act.
    case error

    package static func < (left: LogLevel, right: LogLevel) -> Bool {
        left.rawValue < right.rawValue
    }

    package var description: String {
        switch self {
        case .debug: "debug"
        case .info: "info"
        case .notice: "notice"
        case .warning: "warning"
        case .error: "error"
        }
    }
}

/// One thing that happened.
package struct LogEntry: Sendable, Equatable {
    package let time: Timestamp
    package let level: LogLevel
    /// A fixed sentence; what varies is in the fields.
    package let message: String
    package let fields: [LogField]

    package init(time: Timestamp, level: LogLevel, message: String, fields: [LogField]) {
        self.time = time
        self.level = level
        self.message = message
        self.fields = fields
    }

    /// The value of the field, or nil.
    package subscript(_ name: String) -> LogValue? {
        fields.first { $0.name == name }?.value
    }
}

/// Where entries go.
///
/// Must return at once, whatever happens behind it.
package protocol LogSink: Sendable {
    func write(_ entry: LogEntry)
}
