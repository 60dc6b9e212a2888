package import Jobs

/// What one subscriber wants to hear of, and what it does then.
///
/// A capability makes its subscriptions where it is wired. An event may come twice and after a later one: the handler
/// recognizes it by its id, and reads what is so now instead of trusting the order. It should be quick; what takes long
/// or leaves the machine is a job of its own that the handler enqueues.
package struct EventSubscription: Sendable {
    /// A stable word, of which rows of earlier releases remind: `webhooks`.
    let name: String
    let kinds: Set<String>
    let retry: RetryPolicy
    let handle: @Sendable (DomainEvent) async throws -> Void

    /// Half a day of trying, the last hours once an hour.
    package static let patient = RetryPolicy(attempts: 20, base: .seconds(5), cap: .seconds(3600))

    /// - Parameters:
    ///   - name: unique among all subscriptions, lower-case letters, digits and `-`; never changed.
    ///   - kinds: the kinds of events that it wants.
    ///   - retry: how often and how late an event is tried again; then it is set aside.
    ///   - handle: what is done; throwing means that the event was not taken.
    package init(
        _ name: String,
        to kinds: Set<String>,
        retry: RetryPolicy = Self.patient,
        handle: @escaping @Sendable (DomainEvent) async throws -> Void
    ) {
        let isWord = name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }
        precondition(isWord && (1...40).contains(name.utf8.count), "'\(name)' cannot be the name of a subscription")
        self.name = name
        self.kinds = kinds
        self.retry = retry
        self.handle = handle
    }

    /// The kind of the jobs that deliver to it.
    var jobKind: String { "events.deliver.\(name)" }
}
