import Kernel

/// What is asked of every access token that somebody makes.
enum TokenRules {
    /// How long a description may be, in bytes.
    private static let longestDescription = 4096
    /// How far ahead a token may expire.
    private static let longestLife = Duration.seconds(2 * 366 * 86_400)

    static func check(description: String) throws(ServiceError) {
        guard description.utf8.count <= longestDescription else {
            throw .invalid("description", "has at most \(longestDescription) bytes")
        }
    }

    /// When a token expires; nil for never.
    ///
    /// - Parameter seconds: Unix seconds; nil or 0 is never.
    static func expiry(_ seconds: Int?, now: Timestamp) throws(ServiceError) -> Timestamp? {
        guard let seconds, seconds != 0 else { return nil }
        let latest = now.advanced(by: longestLife)
        guard seconds > now.seconds, seconds <= latest.seconds else {
            throw .invalid("expires", "is a time in Unix seconds between now and two years from now, or 0 for never")
        }
        return Timestamp(seconds: Int64(seconds))
    }
}
