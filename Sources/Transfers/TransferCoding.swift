import CCurl
import Kernel

extension TransferRequest {
    /// Whether no text would end early in C, or begin another header.
    var isSpelledWell: Bool {
        func isGood(_ text: String) -> Bool { !text.utf8.contains { $0 == 0 || $0 == 10 || $0 == 13 } }
        return isGood(method) && isGood(url) && headers.allSatisfy { isGood($0.name) && isGood($0.value) }
            && isGood(proxy?.url ?? "") && isGood(proxy?.exceptions ?? "")
    }

    /// Calls `begin` with the request in C's form, whose pointers live until it returns.
    ///
    /// The call is retained until libcurl's thread has told it the outcome.
    func withCRequest<Value>(_ call: TransferCall, _ begin: (UnsafePointer<cairn_transfer_request>) -> Value) -> Value {
        // libcurl takes a header without a value only with a semicolon.
        let lines = headers.map { $0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)" }
        let texts = [method, url, proxy?.url ?? "", proxy?.exceptions ?? ""] + lines
        return withCStrings(texts) { pointers in
            var request = cairn_transfer_request()
            request.method = pointers[0]
            request.url = pointers[1]
            request.proxy = proxy == nil ? nil : pointers[2]
            request.no_proxy = proxy?.exceptions == nil ? nil : pointers[3]
            request.connect_milliseconds = limits.connect.wholeMilliseconds
            request.total_milliseconds = limits.total.wholeMilliseconds
            request.stall_seconds = max(1, limits.stall.wholeMilliseconds / 1000)
            request.limit = limits.body
            request.verifies = trust.verifies ? 1 : 0
            request.wants_certificate = trust.wantsCertificate ? 1 : 0
            request.keeps_connection = trust.keepsConnection ? 1 : 0
            request.permits = trust.permits == nil ? nil : permits
            request.done = done
            request.context = Unmanaged.passRetained(call).toOpaque()
            return pointers[4...].withUnsafeBufferPointer { headers in
                request.headers = headers.baseAddress
                request.header_count = headers.count
                return withBytes(Array((trust.authorities ?? "").utf8)) { authorities in
                    if trust.authorities != nil {
                        request.authorities = UnsafeRawPointer(authorities.baseAddress)?
                            .assumingMemoryBound(to: CChar.self)
                        request.authorities_length = authorities.count
                    }
                    return withBytes(body ?? []) { bytes in
                        if body != nil {
                            request.body = bytes.baseAddress
                            request.body_length = bytes.count
                        }
                        return withUnsafePointer(to: request) { begin($0) }
                    }
                }
            }
        }
    }
}

/// The bytes with an address that is never nil, so that no bytes differ from none.
private func withBytes<Value>(_ bytes: [UInt8], _ body: (UnsafeBufferPointer<UInt8>) -> Value) -> Value {
    bytes.withUnsafeBufferPointer { buffer in
        if buffer.baseAddress != nil { return body(buffer) }
        var nothing: UInt8 = 0
        return withUnsafePointer(to: &nothing) { body(UnsafeBufferPointer(start: $0, count: 0)) }
    }
}

private func withCStrings<Value>(_ texts: [String], _ body: ([UnsafePointer<CChar>?]) -> Value) -> Value {
    let offsets = texts.reduce(into: [0]) { $0.append(($0.last ?? 0) + $1.utf8.count + 1) }
    var bytes: [CChar] = []
    bytes.reserveCapacity(offsets.last ?? 0)
    for text in texts {
        bytes += text.utf8.map { CChar(bitPattern: $0) }
        bytes.append(0)
    }
    return bytes.withUnsafeBufferPointer { buffer in
        body(offsets.dropLast().map { offset in buffer.baseAddress.map { $0 + offset } })
    }
}

/// Asks the rules, from libcurl's thread.
///
/// SAFETY: `context` is the call, which is retained until `done`; the address has `length` bytes.
private func permits(
    _ context: UnsafeMutableRawPointer?,
    _ address: UnsafePointer<UInt8>?,
    _ length: Int,
    _ isPlain: Int32
) -> Int32 {
    guard let context else { return 0 }
    let call = Unmanaged<TransferCall>.fromOpaque(context).takeUnretainedValue()
    let bytes = Array(UnsafeBufferPointer(start: address, count: length))
    return call.permits?(bytes, isPlain != 0) == true ? 1 : 0
}

/// Wakes the task that waits, from libcurl's thread.
///
/// SAFETY: `context` is the call as `withCRequest` has retained it, and `done` is called once; the result lives until
/// this returns.
private func done(_ context: UnsafeMutableRawPointer?, _ result: UnsafePointer<cairn_transfer_result>?) {
    guard let context, let result else { return }
    Unmanaged<TransferCall>.fromOpaque(context).takeRetainedValue().end(outcome(result.pointee))
}

private func outcome(_ result: cairn_transfer_result) -> TransferCall.Outcome {
    if let reason = reason(result.outcome) {
        let text = result.problem.map { String(cString: $0) } ?? ""
        return .failure(TransferError(reason, text.isEmpty ? "\(reason)" : text))
    }
    let head = UnsafeRawBufferPointer(start: result.head, count: result.head_length)
    return .success(
        TransferResponse(
            status: result.status,
            headers: headers(head),
            body: Array(UnsafeBufferPointer(start: result.body, count: result.body_length)),
            certificate: result.certificate.map { String(cString: $0) }
        )
    )
}

private func reason(_ outcome: cairn_transfer_outcome) -> TransferError.Reason? {
    switch outcome {
    case CAIRN_TRANSFER_DONE: nil
    case CAIRN_TRANSFER_BAD_URL: .badURL
    case CAIRN_TRANSFER_REFUSED: .addressRefused
    case CAIRN_TRANSFER_UNTRUSTED: .untrustedCertificate
    case CAIRN_TRANSFER_TOO_LARGE: .tooLarge
    case CAIRN_TRANSFER_TIMED_OUT: .timedOut
    case CAIRN_TRANSFER_CANCELLED: .cancelled
    default: .failed
    }
}

/// The lines behind the status line, each cut at its first colon.
private func headers(_ head: UnsafeRawBufferPointer) -> [(name: String, value: String)] {
    var found: [(name: String, value: String)] = []
    for line in head.split(whereSeparator: { $0 == 10 || $0 == 13 }).dropFirst() {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
        let value = line[(colon + 1)...].drop { $0 == 32 || $0 == 9 }
        let end = value.lastIndex { $0 != 32 && $0 != 9 }.map { $0 + 1 } ?? value.startIndex
        found.append(
            (String(decoding: line[..<colon], as: UTF8.self), String(decoding: value[..<end], as: UTF8.self))
        )
    }
    return found
}

extension Duration {
    fileprivate var wholeMilliseconds: Int {
        let (seconds, attoseconds) = components
        return Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000)
    }
}
