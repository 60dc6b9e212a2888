package import StateStore

/// A state's text inside of a stored body, and the hash by which it is known again.
package struct FramedText: Sendable, Equatable {
    package var frame: CheckpointFrame
    /// SHA-256 of the frame's range and then its prefix.
    package var hash: [UInt8]
}

/// Gives the text of a state that lies inside of a body, which arrives in pieces.
struct TextSource: ~Copyable {
    private var inflater = BodyInflater()
    private let framed: FramedText?
    private var hash = StateHash()
    private var position = 0
    private var hasBegun = false

    init(_ framed: FramedText?) {
        self.framed = framed
    }

    /// Calls `body` with the windows of text that a piece of the body completes.
    mutating func feed(_ piece: ArraySlice<UInt8>, _ body: (ArraySlice<UInt8>) throws -> Void) throws {
        guard let framed else { return try inflater.feed(piece, body) }
        if !hasBegun {
            hasBegun = true
            if !framed.frame.prefix.isEmpty { try body(framed.frame.prefix[...]) }
        }
        var position = position
        let hash = hash
        try inflater.feed(piece) { window in
            let from = max(framed.frame.range.lowerBound - position, 0)
            let to = min(framed.frame.range.upperBound - position, window.count)
            position += window.count
            guard from < to else { return }
            let text = window[(window.startIndex + from)..<(window.startIndex + to)]
            hash.update(text)
            try body(text)
        }
        self.position = position
    }

    /// The last of the text.
    ///
    /// - Throws: `StateDamage` when the text is not the one that was stored.
    mutating func finish(_ body: (ArraySlice<UInt8>) throws -> Void) throws {
        try inflater.finish()
        guard let framed else { return }
        hash.update(framed.frame.prefix[...])
        guard hash.finalize() == framed.hash else { throw StateDamage.checksum }
        if !framed.frame.suffix.isEmpty { try body(framed.frame.suffix[...]) }
    }
}
