import Foundation
import Kernel
import Testing

/// Speaks just enough of the protocol to be asked something, and answers what a test wants.
///
/// Takes one connection after the other, each on its own thread, and keeps every byte that clients send.
final class HostileServer: Sendable {
    /// What it says: the greeting first, then one answer for each of the client's messages; then nothing.
    enum Script: Sendable {
        /// Closes at once.
        case hangUp
        /// Accepts and says nothing.
        case silence
        case answers([[UInt8]])
    }

    let port: Int
    private let listener: Int32
    private let script: Script
    private let bytes = Locked<[UInt8]>([])
    private let open = Locked<[Int32]>([])

    init(_ script: Script) throws {
        (listener, port) = try Loopback.listen()
        self.script = script
        Thread.detachNewThread { [self] in accept() }
    }

    var received: [UInt8] { bytes.withLock { $0 } }

    func hasReceived(_ text: String) -> Bool {
        received.firstRange(of: Array(text.utf8)) != nil
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
            open.withLock { $0.append(client) }
            Thread.detachNewThread { [self] in
                serve(client)
                shutdown(client, Int32(SHUT_RDWR))
            }
        }
    }

    private func serve(_ client: Int32) {
        var answers: [[UInt8]] = []
        switch script {
        case .hangUp: return
        case .silence: break
        case .answers(let list): answers = list
        }
        if !answers.isEmpty {
            guard Loopback.send(answers.removeFirst(), to: client) else { return }
        }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(client, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            bytes.withLock { $0 += buffer[..<count] }
            if !answers.isEmpty {
                guard Loopback.send(answers.removeFirst(), to: client) else { return }
            }
        }
    }
}

extension HostileServer {
    /// A message with its header.
    static func packet(_ sequence: UInt8, _ payload: [UInt8]) -> [UInt8] {
        let length = payload.count
        return [UInt8(length & 0xff), UInt8(length >> 8 & 0xff), UInt8(length >> 16 & 0xff), sequence] + payload
    }

    /// A greeting as MySQL 8 sends it, without TLS, naming a way to log in.
    static func greeting(_ method: String = "mysql_native_password") -> [UInt8] {
        // Protocol 4.1, authentication methods, a database at connect, LOAD DATA LOCAL.
        let capabilities: UInt32 = 0x0008_a289
        var payload: [UInt8] = [10]
        payload += Array("8.0.99".utf8) + [0]
        payload += [1, 0, 0, 0]
        payload += Array("abcdefgh".utf8) + [0]
        payload += [UInt8(capabilities & 0xff), UInt8(capabilities >> 8 & 0xff), 45, 2, 0]
        payload += [UInt8(capabilities >> 16 & 0xff), UInt8(capabilities >> 24 & 0xff), 21]
        payload += [UInt8](repeating: 0, count: 10)
        payload += Array("ijklmnopqrst".utf8) + [0]
        payload += Array(method.utf8) + [0]
        return packet(0, payload)
    }

    static func ok(_ sequence: UInt8) -> [UInt8] {
        packet(sequence, [0, 0, 0, 2, 0, 0, 0])
    }

    /// Asks for another way to log in.
    static func switchTo(_ method: String) -> [UInt8] {
        packet(2, [0xfe] + Array(method.utf8) + [0] + Array("abcdefghijklmnopqrst".utf8) + [0])
    }

    /// Asks for a file of the client.
    static func askForFile(_ path: String) -> [UInt8] {
        packet(1, [0xfb] + Array(path.utf8))
    }
}
