/// What a field of a log entry holds.
///
/// Written as a literal or an interpolation: `["stack": "\(id)", "versions": 3, "retried": true]`.
package enum LogValue: Sendable, Equatable {
    case text(String)
    case integer(Int)
    case number(Double)
    case flag(Bool)

    /// A time in milliseconds, the unit of every time in the log.
    package static func milliseconds(_ duration: Duration) -> LogValue {
        let (seconds, attoseconds) = duration.components
        let microseconds = seconds * 1_000_000 + attoseconds / 1_000_000_000_000
        return .number(Double(microseconds) / 1000)
    }

    /// What an error says of itself, its cause included; for the log only.
    package static func error(_ error: any Error) -> LogValue {
        .text(String(describing: error))
    }
}

extension LogValue: ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral
{
    package init(stringLiteral value: String) { self = .text(value) }
    package init(integerLiteral value: Int) { self = .integer(value) }
    package init(floatLiteral value: Double) { self = .number(value) }
    package init(booleanLiteral value: Bool) { self = .flag(value) }
}

/// One named value of a log entry.
package struct LogField: Sendable, Equatable {
    /// A word chosen in the code, in camel case; never text from outside.
    package let name: String
    package let value: LogValue

    package init(_ name: String, _ value: LogValue) {
        self.name = name
        self.value = value
    }
}
