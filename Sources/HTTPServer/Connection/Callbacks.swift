import CBeast

/// The functions that the C++ side calls, on the loop threads.
///
/// They capture nothing: the server comes through the context, the request through its handle. A handle holds one
/// reference to its `Exchange`, which `on_end` gives back.
enum Callbacks {
    nonisolated static func make() -> cb_callbacks {
        cb_callbacks(
            on_request: { context, session, head in
                guard let context, let session, let head else { return nil }
                let core = Unmanaged<ServerCore>.fromOpaque(context).takeUnretainedValue()
                guard let exchange = core.dispatch(session, head.pointee) else { return nil }
                return Unmanaged.passRetained(exchange).toOpaque()
            },
            on_body: { handle, bytes, count, end, broken in
                guard let handle else { return }
                Unmanaged<Exchange>.fromOpaque(handle).takeUnretainedValue().received(
                    UnsafeRawBufferPointer(start: bytes, count: count),
                    end: end,
                    broken: broken
                )
            },
            on_written: { handle, isWrong in
                guard let handle else { return }
                Unmanaged<Exchange>.fromOpaque(handle).takeUnretainedValue().written(isWrong: isWrong)
            },
            on_end: { handle, reason in
                guard let handle else { return }
                let exchange = Unmanaged<Exchange>.fromOpaque(handle).takeRetainedValue()
                if reason != CB_ANSWERED { exchange.closed() }
            },
            on_drained: { context in
                guard let context else { return }
                Unmanaged<ServerCore>.fromOpaque(context).takeUnretainedValue().drained.open()
            }
        )
    }
}

extension HTTPRequestHead {
    /// Copies what the parser left in one block.
    init(_ head: cb_head) {
        let bytes = Array(UnsafeRawBufferPointer(start: head.packed, count: head.packed_length))
        let methodEnd = Int(head.method_length)
        let targetEnd = methodEnd + Int(head.target_length)
        let (method, target) = bytes.withUnsafeBufferPointer { bytes in
            (
                HTTPMethod(received: UnsafeBufferPointer(rebasing: bytes[..<methodEnd])),
                RawTarget(String(decoding: bytes[methodEnd..<targetEnd], as: UTF8.self))
            )
        }
        let peer = UnsafeRawBufferPointer(start: head.peer, count: head.peer_length)
        self.init(
            method: method,
            target: target,
            headers: HTTPHeaders(packed: PackedFields(bytes: bytes, start: targetEnd, count: Int(head.field_count))),
            peer: PeerAddress(text: String(decoding: peer, as: UTF8.self), port: Int(head.peer_port)),
            isTLS: head.tls
        )
    }
}

extension HTTPMethod {
    fileprivate init(received bytes: UnsafeBufferPointer<UInt8>) {
        self.init(String(decoding: bytes, as: UTF8.self))
    }
}
