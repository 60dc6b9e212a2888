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
    private let cut = Mutex(Cut.never)
    private let open = Mutex<[Int32]>([])

    init(to target: Int) throws {
        self.target = target
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        try #require(descriptor >= 0)
        var address = Self.loopback(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { plain in
                bind(descriptor, plain, length) == 0 && listen(descriptor, 64) == 0
                    ? getsockname(descriptor, plain, &length) : -1
            }
        }
        try #require(result == 0)
        listener = descriptor
        port = Int(UInt16(bigEndian: address.sin_port))
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
            let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = Self.loopback(port: target)
            let connected = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { plain in
                    connect(server, plain, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            guard connected == 0 else {
                Glibc.close(client)
                Glibc.close(server)
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
                guard send(bytes, to: target) else { break }
                continue
            }
            switch takeCut(for: bytes) {
            case .beforeSending:
                shutdown(source, Int32(SHUT_RDWR))
                shutdown(target, Int32(SHUT_RDWR))
                return
            case .afterSending:
                silence.flag.store(true, ordering: .releasing)
                _ = send(bytes, to: target)
                // Long enough for the server to have done it; what it answers is dropped.
                usleep(100_000)
                shutdown(source, Int32(SHUT_RDWR))
                shutdown(target, Int32(SHUT_RDWR))
                return
            case .silenceAfter:
                silence.flag.store(true, ordering: .releasing)
                _ = send(bytes, to: target)
            case .never:
                guard send(bytes, to: target) else { return }
            }
        }
        shutdown(source, Int32(SHUT_RDWR))
        shutdown(target, Int32(SHUT_RDWR))
    }

    private func send(_ bytes: ArraySlice<UInt8>, to target: Int32) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes {
                Glibc.send(target, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard sent > 0 else { return false }
            rest = rest.dropFirst(sent)
        }
        return true
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

    private static func loopback(port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        address.sin_port = in_port_t(port).bigEndian
        return address
    }
}
