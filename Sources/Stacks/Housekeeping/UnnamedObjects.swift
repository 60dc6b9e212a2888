import Kernel

/// Objects that no row named when they were looked at, and since when that is so, by a clock that nobody can set.
///
/// Age alone does not tell that no row will come: where the wall clock of this process or of the store is wrong, an object
/// whose request still runs looks old. What was there without a row an hour ago has none under way.
final class UnnamedObjects: Sendable {
    /// More are looked at in later rounds.
    static let most = 100_000

    private let since = Locked<[ObjectKey: Duration]>([:])

    /// Notes what one round has found, and forgets everything else.
    ///
    /// - Returns: the objects that were found in every round for `time` or longer.
    func note(_ found: [ObjectKey], at now: Duration, for time: Duration) -> [ObjectKey] {
        since.withLock { since in
            let before = since
            since = [:]
            for key in found.prefix(Self.most) { since[key] = before[key] ?? now }
            return found.filter { key in before[key].map { now - $0 >= time } ?? false }
        }
    }
}
