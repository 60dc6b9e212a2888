/// Which uploads of one update are taken, repeated or refused (`spec/cli-protocol.md` §11.4).
///
/// The caller holds the update's lock from `decide` until after `stored`.
package struct CheckpointSequence: Sendable, Equatable {
    package enum Request: Sendable, Equatable {
        case verbatim(Int64)
        /// A delta, with the hash of the text it must produce.
        case delta(Int64, hash: String)
    }

    package enum Decision: Sendable, Equatable {
        /// Store the whole text that came.
        case store
        /// Apply the delta to the text and store the result.
        case apply
        /// Answer success and change nothing: it is there already, or something newer is.
        case `repeat`
        /// Answer 4xx; the CLI then sends the whole text with the same number.
        case refuse(String)
    }

    /// The number of the last stored upload, 0 before the first.
    package private(set) var last: Int64
    /// The hash of the text stored last; nil before the first.
    ///
    /// Never that of an earlier update.
    package private(set) var textHash: String?

    package init(last: Int64 = 0, textHash: String? = nil) {
        self.last = last
        self.textHash = textHash
    }

    package func decide(_ request: Request) -> Decision {
        switch request {
        case .verbatim(let number), .delta(let number, _):
            guard number >= 1 else { return .refuse("sequenceNumber must be at least 1") }
        }
        switch request {
        case .verbatim(let number):
            // An equal number is a repeat, or the way back from a delta whose success the CLI did not see.
            return number >= last ? .store : .repeat
        case .delta(let number, let hash):
            if number < last || (number == last && hash == textHash) { return .repeat }
            guard number == last + 1 else { return .refuse("sequenceNumber \(number) does not follow \(last)") }
            return textHash == nil ? .refuse("this update has no text yet that a delta could change") : .apply
        }
    }

    /// Notes that the text of an upload is durable.
    package mutating func stored(_ number: Int64, textHash: String) {
        last = number
        self.textHash = textHash
    }
}
