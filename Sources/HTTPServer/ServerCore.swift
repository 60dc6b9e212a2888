import CBeast
import Kernel

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What a running server is: the C++ side, the handlers, and the tasks of requests.
final class ServerCore: Sendable {
    /// SAFETY: `cb_server_` functions may be called from any thread; the pointer is used under the lock of `life` only,
    /// but for the stop, which takes it out first.
    struct Handle: @unchecked Sendable {
        let pointer: OpaquePointer
    }

    private enum Life {
        case new
        case running(Handle, ports: [Int])
        case stopped(ServerCounters, ports: [Int])
    }

    private let configuration: HTTPServerConfiguration
    private let inline: @Sendable (HTTPRequestHead) -> HTTPResponse?
    private let handler: @Sendable (HTTPRequest) async -> HTTPResponse
    private let tasks: RequestTasks
    private let life = Locked(Life.new)

    /// Opens when no connection is left after a drain, or when the server has stopped.
    let drained = Gate()
    /// Opens when `drain` is done or the server has stopped.
    let finished = Gate()
    private let stopped = Gate()

    init(
        configuration: HTTPServerConfiguration,
        inline: @escaping @Sendable (HTTPRequestHead) -> HTTPResponse?,
        handler: @escaping @Sendable (HTTPRequest) async -> HTTPResponse
    ) {
        self.configuration = configuration
        self.inline = inline
        self.handler = handler
        tasks = RequestTasks(executor: configuration.executor)
    }

    // MARK: - Life

    /// Listens, once; gives the ports in the order of the addresses.
    func start() throws -> [Int] {
        try life.withLock { life in
            switch life {
            case .running(_, let ports): return ports
            case .stopped: throw ServiceError(.failedPrecondition, "The HTTP server has stopped and cannot start again")
            case .new: break
            }
            let context = Unmanaged.passRetained(self)
            do {
                let (handle, ports) = try CServerStart.start(configuration, context.toOpaque())
                life = .running(handle, ports: ports)
                return ports
            } catch {
                context.release()
                throw error
            }
        }
    }

    /// Lets no new work in and returns when all that is in progress is done.
    func drain() async {
        let isRunning = life.withLock { life in
            guard case .running(let handle, _) = life else { return false }
            cb_server_drain(handle.pointer)
            return true
        }
        if isRunning {
            await drained.opened()
            await tasks.allFinished()
        }
        finished.open()
    }

    /// Closes everything, cancels the handlers, and waits for them for a while, whether or not the caller is cancelled.
    func stop() async {
        let (handle, wasNew) = life.withLock { life -> (Handle?, Bool) in
            switch life {
            case .new:
                life = .stopped(ServerCounters(), ports: [])
                return (nil, true)
            case .stopped:
                return (nil, false)
            case .running(let handle, let ports):
                life = .stopped(Self.counters(handle), ports: ports)
                return (handle, false)
            }
        }
        if let handle {
            // Joins threads, so not on a thread of the cooperative pool.
            NamedThread.start(name: "http-stop") { [self] in end(handle) }
        } else if wasNew {
            stopped.open()
        }
        await stopped.openedWhateverHappens()
    }

    private func end(_ handle: Handle) {
        cb_server_stop(handle.pointer)
        cb_server_destroy(handle.pointer)
        // The handlers have been cancelled; one that does not heed it must not keep the process.
        let deadline = ContinuousClock.now + configuration.timeLimits.stop
        while tasks.count > 0, ContinuousClock.now < deadline { usleep(2000) }
        drained.open()
        finished.open()
        stopped.open()
        Unmanaged.passUnretained(self).release()
    }

    func replaceTLS(_ tls: HTTPServerConfiguration.TLS) throws {
        try life.withLock { life in
            guard case .running(let handle, _) = life else {
                throw ServiceError(.failedPrecondition, "The HTTP server is not running")
            }
            try CServerStart.replaceTLS(tls, handle)
        }
    }

    var counters: ServerCounters {
        life.withLock { life in
            switch life {
            case .new: return ServerCounters()
            case .stopped(let last, _): return last
            case .running(let handle, _):
                var counters = Self.counters(handle)
                counters.activeRequests = UInt64(tasks.count)
                return counters
            }
        }
    }

    private static func counters(_ handle: Handle) -> ServerCounters {
        var raw = cb_counters()
        cb_server_counters(handle.pointer, &raw)
        var counters = ServerCounters()
        counters.accepted = raw.accepted
        counters.activeConnections = raw.active
        counters.requests = raw.requests
        withUnsafeBytes(of: raw.refused) { refused in
            let numbers = refused.bindMemory(to: UInt64.self)
            for reason in RefusalReason.allCases where numbers[reason.rawValue] > 0 {
                counters.refused[reason] = numbers[reason.rawValue]
            }
        }
        return counters
    }

    // MARK: - Requests

    /// A head is complete: answers it at once, or starts its task.
    ///
    /// On the loop's thread.
    ///
    /// - Returns: the exchange that the connection reports to; nil when the answer has been handed over.
    func dispatch(_ pointer: OpaquePointer, _ head: cb_head) -> Exchange? {
        let request = HTTPRequestHead(head)
        let session = Session(pointer, number: head.number)
        let isHead = request.method == .head
        let ready = inline(request)
        if let ready, ready.body.isInMemory {
            session.respondWhole(ready, isHead: isHead)
            return nil
        }
        let whole = head.body.map { Array(UnsafeRawBufferPointer(start: $0, count: head.body_length)) }
        let exchange = Exchange(session: session, isHead: isHead, wholeBody: whole)
        let hasBody = head.content_length != 0
        let body = RequestBody(
            length: head.content_length < 0 ? nil : Int(head.content_length),
            source: hasBody ? exchange : nil
        )
        tasks.start(exchange) { [handler] in
            let response: HTTPResponse
            if let ready {
                response = ready
            } else {
                response = await handler(HTTPRequest(head: request, body: body))
            }
            await exchange.send(response)
        }
        return exchange
    }
}
