import HTTPServer
import Kernel
import Synchronization

/// Follows a streamed answer to its end and writes its entry then, exactly once.
///
/// What the stream throws is seen by nobody else: the client sees a connection that ends. A stream that is dropped before
/// it began had nobody to read it.
final class StreamWatch: Sendable {
    private let entry: AccessLog.Entry
    private let log: AccessLog
    private let sent = Atomic<Int>(0)
    private let isWritten = Atomic<Bool>(false)

    init(_ entry: AccessLog.Entry, _ log: AccessLog) {
        self.entry = entry
        self.log = log
    }

    deinit {
        guard !isWritten.load(ordering: .acquiring) else { return }
        var entry = entry
        entry.sent = 0
        entry.clientLeft = true
        log.write(entry)
    }

    func send(
        _ produce: @Sendable (ResponseWriter) async throws -> Void,
        to writer: ResponseWriter
    ) async throws {
        do {
            try await produce(
                ResponseWriter { [self] piece in
                    try await writer.write(piece)
                    sent.wrappingAdd(piece.count, ordering: .relaxed)
                }
            )
            write { _ in }
        } catch is CancellationError {
            write { $0.clientLeft = true }
            throw CancellationError()
        } catch {
            write { entry in
                entry.brokeOff = true
                entry.error = error as? ServiceError ?? .unexpected(error)
            }
            throw error
        }
    }

    private func write(_ change: (inout AccessLog.Entry) -> Void) {
        isWritten.store(true, ordering: .releasing)
        var entry = entry
        entry.sent = sent.load(ordering: .relaxed)
        change(&entry)
        log.write(entry)
    }
}
