import Kernel
import Persistence

/// What `cairn move database` tells while it works: each table when it is done, and every 5 s how far it is.
final class MoveAccount: Sendable {
    private struct State {
        var told = Duration.zero
        var rows: [String: Int] = [:]
        var bytes: [String: Int] = [:]
        var changes = 0
    }

    private let environment: ProcessEnvironment
    private let began = ContinuousClock.now
    private let state = Locked(State())

    init(_ environment: ProcessEnvironment) {
        self.environment = environment
    }

    func take(_ progress: DatabaseMove.Progress) {
        let (line, isEnd) = state.withLock { note(progress, in: &$0) }
        let elapsed = began.duration(to: .now)
        guard !isEnd else { return environment.standardOutput("  \(line)\n") }
        let isDue = state.withLock { state in
            guard elapsed - state.told >= .seconds(5) else { return false }
            state.told = elapsed
            return true
        }
        if isDue { environment.standardOutput("  \(line) after \(elapsed.components.seconds) s …\n") }
    }

    /// The line of an event, and whether it is told at once.
    private func note(_ progress: DatabaseMove.Progress, in state: inout State) -> (String, Bool) {
        switch progress {
        case .copied(let table, let rows, let bytes):
            (state.rows[table], state.bytes[table]) = (rows, bytes)
            return ("\(table): \(rows) rows copied, \(Self.size(bytes))", false)
        case .followed(let changes):
            state.changes += changes
            return ("\(state.changes) changes taken over", false)
        case .read(let table, let rows):
            return ("\(table): \(rows) rows compared", false)
        case .compared(let comparison):
            let (table, source, target) = (comparison.table, comparison.source, comparison.target)
            (state.rows[table], state.bytes[table]) = (source.rows, source.bytes)
            let line = "\(table): \(source.rows) rows, \(Self.size(source.bytes)), "
            guard !comparison.isSame else { return (line + "the same on both sides", true) }
            return (line + "DIFFERENT at the target: \(target.rows) rows, \(Self.size(target.bytes))", true)
        case .counted(let table, let source, let target):
            state.rows[table] = source
            let line = "\(table): \(source) rows, "
            return (
                line + (source == target ? "compared while served" : "DIFFERENT at the target: \(target) rows"), true
            )
        }
    }

    /// What was told of, as far as it is known: rows that an earlier run copied have no size.
    var total: String {
        let state = state.withLock { $0 }
        let (rows, bytes) = (state.rows.values.reduce(0, +), state.bytes.values.reduce(0, +))
        let changes = state.changes > 0 ? ", with \(state.changes) changes" : ""
        return "\(rows) rows\(bytes > 0 ? ", \(Self.size(bytes))" : "")\(changes)"
    }

    /// The time since the beginning.
    var seconds: String { "\(Self.tenths(began.duration(to: .now) / .seconds(1))) s" }

    static func size(_ bytes: Int) -> String {
        bytes < 1_000_000 ? "\((bytes + 999) / 1000) kB" : "\(tenths(Double(bytes) / 1_000_000)) MB"
    }

    private static func tenths(_ number: Double) -> String {
        let tenths = Int((number * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}
