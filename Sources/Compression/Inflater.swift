import CZlib

/// Inflates gzip piece by piece, with bounded memory and bounded output.
///
/// Give it received bytes with `supply`, then take pieces with `next` until it answers nil, and so on; `finish` after
/// the last received byte. Several gzip members one after the other count as one text; anything else behind a member
/// is an error. An error is final: every later call throws it again.
package struct Inflater: ~Copyable {
    /// What an input may cost at most.
    package struct Limits: Sendable {
        /// Inflated bytes in all.
        package var output: Int
        /// Inflated bytes per received byte, looked at from `ratioFloor` inflated bytes on.
        package var ratio: Int
        package var ratioFloor: Int

        /// Deflate itself cannot exceed a ratio of 1,032; state is seen at up to 22, generated state at up to 100.
        package init(output: Int, ratio: Int = 1_100, ratioFloor: Int = 1 << 20) {
            self.output = output
            self.ratio = ratio
            self.ratioFloor = ratioFloor
        }
    }

    private enum State {
        case insideMember
        case afterMember
        case failed(CompressionError)
    }

    private let limits: Limits
    private let window: Int
    private let stream: UnsafeMutablePointer<z_stream>
    private var state = State.insideMember
    private var input: ArraySlice<UInt8> = []

    /// Bytes supplied so far.
    package private(set) var received = 0
    /// Bytes given out so far.
    package private(set) var produced = 0

    /// Makes an inflater whose pieces hold at most `window` bytes.
    package init(limits: Limits, window: Int = 1 << 16) {
        precondition(window > 0, "an inflater needs room for its output")
        self.limits = limits
        self.window = window
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // 15 bits of window; 16 more make zlib expect gzip. Out of memory ends the process, as Swift's own arrays do.
        let status = inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        precondition(status == Z_OK, "zlib could not start to inflate")
    }

    deinit {
        inflateEnd(stream)
        stream.deinitialize(count: 1)
        stream.deallocate()
    }

    /// Adds received bytes; those of the call before must have been used up by `next`.
    package mutating func supply(_ bytes: ArraySlice<UInt8>) {
        precondition(input.isEmpty, "take the pieces of the bytes before first")
        input = bytes
        received += bytes.count
    }

    /// The next piece of inflated text, never empty; nil when more input is needed.
    package mutating func next() throws(CompressionError) -> ArraySlice<UInt8>? {
        while true {
            switch state {
            case .failed(let error):
                throw error
            case .afterMember:
                guard let first = input.first else { return nil }
                guard first == 0x1f, inflateReset(stream) == Z_OK else { throw fail(.corrupt) }
                state = .insideMember
            case .insideMember:
                let (piece, more) = try inflatePiece()
                if !piece.isEmpty { return piece }
                if !more { return nil }
            }
        }
    }

    /// Checks that the input ended where a member ended.
    package mutating func finish() throws(CompressionError) {
        if case .failed(let error) = state { throw error }
        guard case .afterMember = state, input.isEmpty else { throw fail(.corrupt) }
    }

    /// One call of zlib: what came out, and whether another call can make progress without new input.
    private mutating func inflatePiece() throws(CompressionError) -> (piece: ArraySlice<UInt8>, more: Bool) {
        // One byte more than allowed tells "exactly the limit" from "beyond it".
        let room = min(window, limits.output - produced + 1)
        let before = input.count
        var status = Z_OK
        let stream = stream
        let input = input
        let piece = [UInt8](unsafeUninitializedCapacity: room) { output, count in
            input.withUnsafeBufferPointer { source in
                stream.pointee.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
                stream.pointee.avail_in = UInt32(source.count)
                stream.pointee.next_out = output.baseAddress
                stream.pointee.avail_out = UInt32(room)
                status = inflate(stream, Z_NO_FLUSH)
            }
            count = room - Int(stream.pointee.avail_out)
        }
        self.input = input.suffix(Int(stream.pointee.avail_in))
        produced += piece.count
        switch status {
        case Z_OK, Z_BUF_ERROR: break
        case Z_STREAM_END: state = .afterMember
        default: throw fail(.corrupt)
        }
        let consumed = received - self.input.count
        guard produced <= limits.output, produced <= limits.ratioFloor || produced / limits.ratio <= consumed else {
            throw fail(.tooLarge)
        }
        return (piece[...], status == Z_STREAM_END || self.input.count < before)
    }

    private mutating func fail(_ error: CompressionError) -> CompressionError {
        state = .failed(error)
        input = []
        return error
    }
}
