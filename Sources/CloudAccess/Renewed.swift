package import Kernel

/// A value that ends, such as a token, and is fetched again before it does.
///
/// Of those who need it at once, one fetches it. Near its end the others go on with the old one meanwhile, and all of
/// them do when the new one cannot be had: no request fails because of a renewal, until the old value has ended.
package final class Renewed<Value: Sendable>: Sendable {
    /// Fetches a value and says when it ends; nil for one that does not.
    package typealias Fetch = @Sendable () async throws -> (value: Value, ends: Timestamp?)

    private struct Held {
        let value: Value
        let ends: Timestamp?
        let fetched: Timestamp
        /// When the next attempt to renew it is due.
        var due: Timestamp?
    }

    private struct State {
        var held: Held?
        var isRenewing = false
        /// How many fetches failed, and how the last one did.
        var failures = 0
        var failure: ServiceError?
    }

    private enum Step {
        case use(Value)
        /// The value is good for a while; whoever is told so renews it.
        case renew(Value)
        case fetch(failures: Int)
    }

    private let name: String
    private let effects: Effects
    private let margin: Duration
    private let fetch: Fetch
    private let state = Locked(State())
    private let turn = MemoryBudget(bytes: 1)

    /// How long after a renewal that failed the next one is tried.
    private static var pause: Duration { .seconds(30) }
    /// The longest wait for somebody else's fetch.
    private static var patience: Duration { .seconds(30) }

    /// - Parameters:
    ///   - name: what errors call it.
    ///   - margin: how long before its end it is renewed; less for a value that lives shortly.
    package init(_ name: String, effects: Effects, margin: Duration = .seconds(300), fetch: @escaping Fetch) {
        self.name = name
        self.effects = effects
        self.margin = margin
        self.fetch = fetch
    }

    /// The value, which is good now.
    ///
    /// - Throws: what the fetch throws when there is no value that is good.
    package func value() async throws -> Value {
        switch step() {
        case .use(let value): return value
        case .renew(let old): return await renew(old)
        case .fetch(let failures): return try await fetchInTurn(failures)
        }
    }

    private func step() -> Step {
        let now = effects.now()
        return state.withLock { state in
            guard let held = state.held, held.ends.map({ now < $0 }) ?? true else {
                return .fetch(failures: state.failures)
            }
            // A clock that was set back says nothing about how old the value is.
            let isDue = held.due.map { $0 <= now || now < held.fetched } ?? false
            guard isDue, !state.isRenewing else { return .use(held.value) }
            state.isRenewing = true
            return .renew(held.value)
        }
    }

    private func renew(_ old: Value) async -> Value {
        defer { state.withLock { $0.isRenewing = false } }
        do {
            return try await fetchAndKeep()
        } catch {
            let next = effects.now().advanced(by: Self.pause)
            if !(error is CancellationError) { state.withLock { $0.held?.due = next } }
            return old
        }
    }

    /// Nobody asks again for what failed while he waited.
    private func fetchInTurn(_ failures: Int) async throws -> Value {
        let share: MemoryBudget.Share
        do {
            share = try await turn.share(of: 1, within: Self.patience)
        } catch let error as ServiceError {
            throw ServiceError.unavailable("\(name) takes too long to get", cause: error)
        }
        defer { withExtendedLifetime(share) {} }
        let (fetched, failure) = state.withLock { state in
            let held = state.held.flatMap { held in held.ends.map { effects.now() < $0 } ?? true ? held.value : nil }
            return (held, state.failures == failures ? nil : state.failure)
        }
        if let fetched { return fetched }
        if let failure { throw failure }
        do {
            return try await fetchAndKeep()
        } catch let error as ServiceError {
            state.withLock { state in
                state.failures += 1
                state.failure = error
            }
            throw error
        }
    }

    private func fetchAndKeep() async throws -> Value {
        let (value, ends) = try await fetch()
        let now = effects.now()
        if let ends, ends <= now {
            throw ServiceError.unavailable("\(name) had ended when it came; is the clock of this machine right?")
        }
        let held = Held(value: value, ends: ends, fetched: now, due: ends.map { due(now, $0) })
        state.withLock { $0.held = held }
        return value
    }

    /// The margin before the end and up to half of it more, so that many processes do not renew at the same moment.
    private func due(_ now: Timestamp, _ ends: Timestamp) -> Timestamp {
        let margin = min(margin, ends.since(now) / 3)
        let jitter = Double(effects.randomBytes(1).first ?? 0) / 256
        return ends.advanced(by: .zero - margin - margin * (jitter / 2))
    }
}
