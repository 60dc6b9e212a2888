import CBeast

/// A counted reference to a connection of the C++ side, and the number of the request that it is used for.
///
/// SAFETY: the pointer is only passed to `cb_` functions, which any thread may call for as long as the session is
/// retained; calls for a request that is over have no effect.
struct Session: @unchecked Sendable {
    private let pointer: OpaquePointer
    private let number: UInt32

    /// Does not retain; see `retain`.
    init(_ pointer: OpaquePointer, number: UInt32) {
        self.pointer = pointer
        self.number = number
    }

    func retain() {
        cb_session_retain(pointer)
    }

    func release() {
        cb_session_release(pointer)
    }

    func read() {
        cb_read(pointer, number)
    }

    func respond(_ head: AnswerHead) {
        var answer = head.answer
        cb_respond(pointer, number, &answer, head.block)
    }

    func respond(_ head: AnswerHead, file: Int32, offset: Int64) {
        var answer = head.answer
        cb_respond_file(pointer, number, &answer, head.block, file, offset)
    }

    func writeHead(_ head: AnswerHead) {
        var answer = head.answer
        cb_write_head(pointer, number, &answer, head.block)
    }

    func write(_ bytes: ArraySlice<UInt8>) {
        let block = cb_block_create(bytes.count)
        bytes.withUnsafeBytes { source in
            UnsafeMutableRawBufferPointer(start: cb_block_bytes(block), count: source.count).copyMemory(from: source)
        }
        cb_write(pointer, number, block)
    }

    func end() {
        cb_end(pointer, number)
    }

    func abort() {
        cb_abort(pointer, number)
    }

    func refuse(_ reason: RefusalReason) {
        cb_refuse(pointer, number, cb_reason(UInt32(reason.rawValue)))
    }
}
