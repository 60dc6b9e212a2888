import CCurl
import Kernel

/// Requests to other servers, all of them on one thread of libcurl's.
///
/// It sets every option and knows no policy: what may be connected to, how often something is tried, and what a status
/// means, is said by `OutboundHTTP`. Bodies are held whole, so whoever moves large things moves them in parts.
package final class Transfers: Sendable {
    /// libcurl and its thread, which end with the last request that uses them.
    ///
    /// SAFETY: a handle of C that every thread may use; it is given back once, when nothing refers to it any more. That is
    /// never on its own thread, which holds no reference.
    private final class Engine: @unchecked Sendable {
        let pointer: OpaquePointer

        init(_ pointer: OpaquePointer) {
            self.pointer = pointer
        }

        deinit {
            cairn_transfers_stop(pointer)
        }

        func begin(_ request: TransferRequest, _ call: TransferCall) {
            let number = request.withCRequest(call) { cairn_transfers_begin(pointer, $0) }
            if call.begin(number) { cairn_transfers_cancel(pointer, number) }
        }

        func cancel(_ call: TransferCall) {
            if let number = call.cancel() { cairn_transfers_cancel(pointer, number) }
        }
    }

    private let running = Locked<Engine?>(nil)

    /// Starts nothing: libcurl and its thread come with the first request.
    package init() {}

    /// Sends a request and waits for the whole answer, whatever its status.
    ///
    /// - Throws: `TransferError`; `.cancelled` when the task is cancelled meanwhile.
    package func perform(_ request: TransferRequest) async throws(TransferError) -> TransferResponse {
        guard request.isSpelledWell else { throw TransferError(.badURL, "the request has a NUL or a line end") }
        let engine = try start()
        let call = TransferCall(permits: request.trust.permits)
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                call.wait(continuation)
                engine.begin(request, call)
            }
        } onCancel: {
            engine.cancel(call)
        }
        return try outcome.get()
    }

    private func start() throws(TransferError) -> Engine {
        let engine = running.withLock { running -> Engine? in
            if running == nil { running = cairn_transfers_start().map(Engine.init) }
            return running
        }
        guard let engine else { throw TransferError(.failed, "libcurl.so.4 cannot be loaded; is it installed?") }
        return engine
    }
}

/// A request in progress, known to libcurl's thread and to the task that waits for it.
final class TransferCall: Sendable {
    typealias Outcome = Result<TransferResponse, TransferError>

    private struct State {
        var continuation: CheckedContinuation<Outcome, Never>?
        var number: UInt64?
        var isCancelled = false
    }

    private let state = Locked(State())
    let permits: (@Sendable ([UInt8], Bool) -> Bool)?

    init(permits: (@Sendable ([UInt8], Bool) -> Bool)?) {
        self.permits = permits
    }

    func wait(_ continuation: CheckedContinuation<Outcome, Never>) {
        state.withLock { $0.continuation = continuation }
    }

    /// Keeps the number; true when the transfer was cancelled before it had one.
    func begin(_ number: UInt64) -> Bool {
        state.withLock { state in
            state.number = number
            return state.isCancelled
        }
    }

    /// The number to cancel; nil when there is none yet.
    func cancel() -> UInt64? {
        state.withLock { state in
            state.isCancelled = true
            return state.number
        }
    }

    func end(_ outcome: Outcome) {
        let continuation = state.withLock { state in
            defer { state.continuation = nil }
            return state.continuation
        }
        continuation?.resume(returning: outcome)
    }
}
