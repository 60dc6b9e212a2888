import Kernel
import Foundation
import Synchronization
import Testing

/// Stands between a driver and a server and cuts one connection at a chosen moment; clear text only.
///
/// One thread per direction and connection, which is plenty for a test.
final class CuttingProxy: Sendable {
    /// When to cut: as soon as the client sends a text.
    enum Cut: Sendable {
        case never
        /// The client's bytes reach the server, its answer does not reach the client.
        case afterSending(String)
        /// The client's bytes do not reach the server.
        case beforeSending(String)
        /// Nothing is cut, and nothing of the server is passed on any more.
        case silenceAfter(String)
    }

    let port: Int
    private let listener: Int32
    private let target: Int
    private let cut = Locked(Cut.never)
    private let open = Locked<[Int32]>([])

    init(to target: Int) throws {
        self.target = target
        (listener, port) = try Loopback.listen()
        Thread.detachNewThread { [self] in accept() }
    }

    func set(_ new: Cut) {
        cut.withLock { $0 = new }
    }

    func close() {
        shutdown(listener, Int32(SHUT_RDWR))
        Glibc.close(listener)
        open.withLock { sockets in
            for socket in sockets { shutdown(socket, Int32(SHUT_RDWR)) }
        }
    }

    private func accept() {
        while true {
            let client = Glibc.accept(listener, nil, nil)
            guard client >= 0 else { return }
            guard let server = Loopback.connect(to: target) else {
                Glibc.close(client)
                continue
            }
            open.withLock { $0 += [client, server] }
            let silence = Silence()
            Thread.detachNewThread { [self] in pump(from: client, to: server, silence, isClient: true) }
            Thread.detachNewThread { [self] in pump(from: server, to: client, silence, isClient: false) }
        }
    }

    /// Whether the server's answers are kept back.
    private final class Silence: Sendable {
        let flag = Atomic<Bool>(false)
    }

    private func pump(from source: Int32, to target: Int32, _ silence: Silence, isClient: Bool) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(source, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            let bytes = buffer[..<count]
            if !isClient {
                if silence.flag.load(ordering: .acquiring) { continue }
                guard Loopback.send(bytes, to: target) else { break }
                continue
            }
            switch takeCut(for: bytes) {
            case .beforeSending:
                shutdown(source, Int32(SHUT_RDWR))
                shutdown(target, Int32(SHUT_RDWR))
                return
            case .afterSending:
                silence.flag.store(true, ordering: .releasing)
                _ = Loopback.send(bytes, to: target)
                // Long enough for the server to have done it; what it answers is dropped.
                usleep(100_000)
                shutdown(source, Int32(SHUT_RDWR))
                shutdown(target, Int32(SHUT_RDWR))
                return
            case .silenceAfter:
                silence.flag.store(true, ordering: .releasing)
                _ = Loopback.send(bytes, to: target)
            case .never:
                guard Loopback.send(bytes, to: target) else { return }
            }
        }
        shutdown(source, Int32(SHUT_RDWR))
        shutdown(target, Int32(SHUT_RDWR))
    }

    /// What to do about these bytes; each cut happens once.
    private func takeCut(for bytes: ArraySlice<UInt8>) -> Cut {
        cut.withLock { cut in
            switch cut {
            case .never:
                return .never
            case .afterSending(let text), .beforeSending(let text), .silenceAfter(let text):
                guard bytes.firstRange(of: Array(text.utf8)) != nil else { return .never }
                defer { cut = .never }
                return cut
            }
        }
    }
}
