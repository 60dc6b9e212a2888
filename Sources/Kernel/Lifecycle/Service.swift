/// Something that runs for as long as the process serves: a listener, a loop, a runner of jobs.
///
/// `Server` starts services in order and stops them in the reverse order.
package protocol Service: Sendable {
    /// What log lines call it.
    var name: String { get }

    /// Runs until `drain()` has had its effect or the task is cancelled. Throwing stops the process.
    func run() async throws

    /// Asks for no new work, and returns when the work in progress is done.
    ///
    /// The caller sets a deadline; beyond it the task of `run()` is cancelled.
    func drain() async
}
