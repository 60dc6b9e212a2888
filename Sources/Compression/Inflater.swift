import CISAL

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
    private let stream: UnsafeMutablePointer<inflate_state>
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
        cairn_inflate_begin(stream)
    }

    deinit {
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
                guard first == 0x1f else { throw fail(.corrupt) }
                cairn_inflate_begin(stream)
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

    /// One call of the library: what came out, and whether another call can make progress without new input.
    private mutating func inflatePiece() throws(CompressionError) -> (piece: ArraySlice<UInt8>, more: Bool) {
        // One byte more than allowed tells "exactly the limit" from "beyond it".
        let room = min(window, limits.output - produced + 1)
        var result = cairn_inflated()
        let stream = stream
        let input = input
        let piece = [UInt8](unsafeUninitializedCapacity: room) { output, count in
            input.withUnsafeBufferPointer { source in
                result = cairn_inflate(stream, source.baseAddress, source.count, output.baseAddress, room)
            }
            count = result.made
        }
        self.input = input.dropFirst(result.taken)
        produced += piece.count
        guard result.status == 0 else { throw fail(.corrupt) }
        if result.ended != 0 { state = .afterMember }
        let consumed = received - self.input.count
        guard produced <= limits.output, produced <= limits.ratioFloor || produced / limits.ratio <= consumed else {
            throw fail(.tooLarge)
        }
        return (piece[...], result.ended != 0 || result.taken > 0)
    }

    private mutating func fail(_ error: CompressionError) -> CompressionError {
        state = .failed(error)
        input = []
        return error
    }
}
