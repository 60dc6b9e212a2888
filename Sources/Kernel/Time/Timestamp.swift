/// A moment, in whole microseconds since 1970-01-01T00:00:00Z.
///
/// Stored as an integer in every database. The contract mixes Unix seconds and RFC 3339, so formatting is chosen by
/// each operation.
package struct Timestamp: Hashable, Comparable, Sendable {
    package var microseconds: Int64

    package init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    package init(seconds: Int64) {
        microseconds = seconds * 1_000_000
    }

    /// Whole seconds since 1970, rounded down.
    package var seconds: Int64 {
        microseconds >= 0 ? microseconds / 1_000_000 : (microseconds - 999_999) / 1_000_000
    }

    package static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.microseconds < right.microseconds
    }

    /// The moment that is `duration` later.
    package func advanced(by duration: Duration) -> Timestamp {
        let (seconds, attoseconds) = duration.components
        return Timestamp(microseconds: microseconds + seconds * 1_000_000 + attoseconds / 1_000_000_000_000)
    }

    /// The time from `earlier` to this moment.
    package func since(_ earlier: Timestamp) -> Duration {
        .microseconds(microseconds - earlier.microseconds)
    }
}

// MARK: - RFC 3339

extension Timestamp {
    /// `2026-11-25T13:10:18.000250Z`; the fraction has 0, 3 or 6 digits, the forms every client reads.
    package var rfc3339: String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(27)
        appendRFC3339(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends the same as UTF-8, for whoever writes many of them.
    package func appendRFC3339(to bytes: inout [UInt8]) {
        let secondsOfDay = seconds - days * 86_400
        let fraction = microseconds - seconds * 1_000_000
        let (year, month, day) = Self.civil(days: days)
        Self.append(year, 4, "-", to: &bytes)
        Self.append(month, 2, "-", to: &bytes)
        Self.append(day, 2, "T", to: &bytes)
        Self.append(secondsOfDay / 3600, 2, ":", to: &bytes)
        Self.append(secondsOfDay / 60 % 60, 2, ":", to: &bytes)
        Self.append(secondsOfDay % 60, 2, fraction == 0 ? "Z" : ".", to: &bytes)
        guard fraction != 0 else { return }
        let isCoarse = fraction % 1000 == 0
        Self.append(isCoarse ? fraction / 1000 : fraction, isCoarse ? 3 : 6, "Z", to: &bytes)
    }

    /// Appends a number with zeros in front, up to `width` digits, and what follows it.
    private static func append(_ value: Int64, _ width: Int, _ end: Unicode.Scalar, to bytes: inout [UInt8]) {
        var power: Int64 = 1
        for _ in 1..<width { power *= 10 }
        if value < 0 || value >= power * 10 {
            bytes.append(contentsOf: padded(value, width).utf8)
        } else {
            while power > 0 {
                bytes.append(UInt8(48 + value / power % 10))
                power /= 10
            }
        }
        bytes.append(UInt8(ascii: end))
    }

    /// `Wed, 25 Nov 2026 13:10:18 GMT`, the form of HTTP's `Date` header (RFC 9110 §5.6.7).
    package var httpDate: String {
        let names = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let secondsOfDay = seconds - days * 86_400
        let (year, month, day) = Self.civil(days: days)
        let weekday = names[Int(((days % 7) + 7) % 7)]
        let date = "\(Self.padded(day, 2)) \(Self.months[Int(month - 1)]) \(Self.padded(year, 4))"
        let hour = Self.padded(secondsOfDay / 3600, 2)
        let minute = Self.padded(secondsOfDay / 60 % 60, 2)
        return "\(weekday), \(date) \(hour):\(minute):\(Self.padded(secondsOfDay % 60, 2)) GMT"
    }

    /// Reads the form of HTTP's headers; nil for anything else, the two older forms too.
    package init?(httpDate text: String) {
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 6, words[0].last == ",", words[1].utf8.count == 2, words[3].utf8.count == 4,
            words[4].utf8.count == 8, words[5] == "GMT", let month = Self.months.firstIndex(of: String(words[2]))
        else { return nil }
        self.init(rfc3339: "\(words[3])-\(Self.padded(Int64(month) + 1, 2))-\(words[1])T\(words[4])Z")
    }

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// Reads RFC 3339 with any fraction and zone (finer digits than microseconds are cut off); nil for anything else.
    package init?(rfc3339 text: String) {
        var reader = DigitReader(text)
        guard let year = reader.number(4), reader.skip("-"), let month = reader.number(2), reader.skip("-"),
            let day = reader.number(2), reader.skip("T") || reader.skip("t") || reader.skip(" "),
            let hour = reader.number(2), reader.skip(":"), let minute = reader.number(2), reader.skip(":"),
            let second = reader.number(2), (1...12).contains(month),
            (1...Self.length(of: month, in: year)).contains(day),
            hour < 24, minute < 60, second <= 60, let fraction = reader.fraction(), let offset = reader.zone()
        else { return nil }
        let seconds = Self.days(year: year, month: month, day: day) * 86_400 + hour * 3600 + minute * 60 + second
        microseconds = (seconds - offset) * 1_000_000 + fraction
    }

    private var days: Int64 {
        seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
    }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return digits.count >= width ? digits : String(repeating: "0", count: width - digits.count) + digits
    }

    /// Days since 1970 of a date in the proleptic Gregorian calendar.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// The date of a number of days since 1970: the inverse of `days(year:month:day:)`.
    private static func civil(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        let month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * monthIndex + 2) / 5 + 1)
    }

    private static func length(of month: Int64, in year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

/// Reads fixed-width numbers from ASCII text.
private struct DigitReader {
    private var rest: Substring.UTF8View

    init(_ text: String) {
        rest = text[...].utf8
    }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard let first = rest.first, UInt32(first) == character.value else { return false }
        rest.removeFirst()
        return true
    }

    mutating func number(_ width: Int) -> Int64? {
        var value: Int64 = 0
        for _ in 0..<width {
            guard let digit = digit() else { return nil }
            value = value * 10 + digit
        }
        return value
    }

    /// An optional fraction of a second, in microseconds; nil when a point is followed by no digit.
    mutating func fraction() -> Int64? {
        guard skip(".") else { return 0 }
        var value: Int64 = 0
        var unit: Int64 = 100_000
        var count = 0
        while let digit = digit() {
            value += digit * unit
            unit /= 10
            count += 1
        }
        return count > 0 ? value : nil
    }

    /// The offset from UTC in seconds, with nothing behind it.
    mutating func zone() -> Int64? {
        if skip("Z") || skip("z") { return rest.isEmpty ? 0 : nil }
        let sign: Int64 = skip("-") ? -1 : 1
        guard sign == -1 || skip("+"), let hours = number(2), skip(":"), let minutes = number(2), rest.isEmpty,
            hours < 24, minutes < 60
        else { return nil }
        return sign * (hours * 3600 + minutes * 60)
    }

    private mutating func digit() -> Int64? {
        guard let first = rest.first, (48...57).contains(first) else { return nil }
        rest.removeFirst()
        return Int64(first) - 48
    }
}
