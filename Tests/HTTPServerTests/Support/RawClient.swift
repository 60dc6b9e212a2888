import Glibc

/// A blocking socket that sends exactly the bytes it is given.
///
/// Every wait has a limit.
final class RawClient: @unchecked Sendable {
    // SAFETY: a client is used by one thread at a time; it is handed from the test to that thread.

    struct Problem: Error, CustomStringConvertible {
        let description: String
    }

    struct Response: Equatable {
        var status: Int
        /// Status line and fields, without the empty line.
        var head: String
        var body: [UInt8]

        var text: String { String(decoding: body, as: UTF8.self) }

        func value(_ name: String) -> String? {
            for line in head.split(separator: "\r\n").dropFirst() {
                let parts = line.split(separator: ":", maxSplits: 1)
                if parts[0].lowercased() == name.lowercased() {
                    return String(parts[1].drop { $0 == " " })
                }
            }
            return nil
        }
    }

    /// How the server's side of the connection ended.
    enum End: Equatable {
        case closed
        case reset
        case stillOpen
    }

    private(set) var descriptor: Int32
    private var received: [UInt8] = []

    init(port: Int, receiveBuffer: Int32? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Problem(description: "no socket: \(errno)") }
        if var size = receiveBuffer {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw Problem(description: "cannot connect: \(errno)") }
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    // MARK: - Sending

    func send(_ text: String) throws {
        try send(Array(text.utf8))
    }

    func send(_ bytes: [UInt8]) throws {
        var start = 0
        while start < bytes.count {
            let sent = bytes[start...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard sent > 0 else { throw Problem(description: "cannot send: \(errno)") }
            start += sent
        }
    }

    /// Sends what the peer takes before it ends the connection; gives the number of bytes.
    func sendAsMuchAsPossible(_ bytes: [UInt8]) -> Int {
        var start = 0
        while start < bytes.count {
            let sent = bytes[start...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard sent > 0 else { break }
            start += sent
        }
        return start
    }

    func finishSending() {
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Closes the connection in the usual way.
    func end() {
        close(descriptor)
        descriptor = -1
    }

    /// Ends the connection with a reset.
    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        end()
    }

    // MARK: - Receiving

    /// Receives once; nil at the end of the connection.
    func receive(within seconds: Double = 9) throws -> [UInt8]? {
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&waiting, 1, Int32(seconds * 1000)) > 0 else { throw Problem(description: "nothing came in time") }
        var buffer = [UInt8](repeating: 0, count: 262_144)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        if count < 0 { throw Problem(description: errno == ECONNRESET ? "reset" : "cannot receive: \(errno)") }
        return count == 0 ? nil : Array(buffer[..<count])
    }

    /// The next response, framed by its head.
    ///
    /// - Parameter toHead: whether the request was HEAD.
    func response(toHead: Bool = false, within seconds: Double = 9) throws -> Response {
        let head = try takeHead(within: seconds)
        let lines = head.split(separator: "\r\n")
        let words = lines[0].split(separator: " ")
        guard words.count >= 2, words[0] == "HTTP/1.1", let status = Int(words[1]) else {
            throw Problem(description: "not a status line: \(lines[0])")
        }
        var response = Response(status: status, head: head, body: [])
        if toHead || status == 204 || status == 304 || status < 200 { return response }
        if response.value("Transfer-Encoding") == "chunked" {
            response.body = try takeChunks(within: seconds)
        } else if let length = response.value("Content-Length").flatMap({ Int($0) }) {
            response.body = try take(length, within: seconds)
        } else {
            while let more = try receive(within: seconds) { received += more }
            response.body = received
            received = []
        }
        return response
    }

    /// Everything up to the end of the connection.
    func rest(within seconds: Double = 9) -> (bytes: [UInt8], end: End) {
        defer { received = [] }
        do {
            while let more = try receive(within: seconds) { received += more }
            return (received, .closed)
        } catch let problem as Problem {
            return (received, problem.description == "reset" ? .reset : .stillOpen)
        } catch {
            return (received, .stillOpen)
        }
    }

    private func takeHead(within seconds: Double) throws -> String {
        let mark: [UInt8] = [13, 10, 13, 10]
        while true {
            if let end = Self.position(of: mark, in: received) {
                let head = String(decoding: received[..<end], as: UTF8.self)
                received.removeFirst(end + 4)
                return head
            }
            try receiveMore(within: seconds)
        }
    }

    private func take(_ count: Int, within seconds: Double) throws -> [UInt8] {
        received.reserveCapacity(count)
        while received.count < count { try receiveMore(within: seconds) }
        defer { received.removeFirst(count) }
        return Array(received[..<count])
    }

    private func takeChunks(within seconds: Double) throws -> [UInt8] {
        var body: [UInt8] = []
        while true {
            var end = Self.position(of: [13, 10], in: received)
            while end == nil {
                try receiveMore(within: seconds)
                end = Self.position(of: [13, 10], in: received)
            }
            let line = String(decoding: received[..<(end ?? 0)], as: UTF8.self)
            guard let size = Int(line, radix: 16) else { throw Problem(description: "not a chunk: \(line)") }
            received.removeFirst(line.utf8.count + 2)
            let chunk = try take(size + 2, within: seconds)
            guard chunk.suffix(2) == [13, 10] else { throw Problem(description: "no end of chunk") }
            if size == 0 { return body }
            body += chunk.dropLast(2)
        }
    }

    private func receiveMore(within seconds: Double) throws {
        guard let more = try receive(within: seconds) else { throw Problem(description: "closed") }
        received += more
    }

    private static func position(of mark: [UInt8], in bytes: [UInt8]) -> Int? {
        guard bytes.count >= mark.count else { return nil }
        return (0...(bytes.count - mark.count)).first { bytes[$0..<$0 + mark.count].elementsEqual(mark) }
    }
}

/// `GET` with the least fields.
func get(_ target: String, _ fields: String = "") -> String {
    "GET \(target) HTTP/1.1\r\nHost: x\r\n\(fields)\r\n"
}

/// `POST` of a body whose length is stated.
func post(_ target: String, _ body: String, _ fields: String = "") -> String {
    "POST \(target) HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\(fields)\r\n\(body)"
}

/// The head of a chunked `POST`.
func chunkedPost(_ target: String, _ chunks: String) -> String {
    "POST \(target) HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n\(chunks)"
}
