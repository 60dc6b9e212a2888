/// Applies the edits of a delta to the text of the save before it (`spec/cli-protocol.md` §11.3).
package enum CheckpointDelta {
    /// The new text.
    ///
    /// - Parameters:
    ///   - limit: the most bytes the new text may have.
    ///   - expected: the lower-case hexadecimal SHA-256 that the client computed of it.
    /// - Throws: `.deltaRefused` when an edit does not fit or the result is another text than the client's; it then
    ///   sends the whole text.
    package static func apply(
        _ edits: [CheckpointEdit],
        to base: ArraySlice<UInt8>,
        limit: Int,
        expecting expected: String,
        hash: HashMaker
    ) throws(StateError) -> [UInt8] {
        guard !expected.isEmpty else { throw .deltaRefused("checkpointHash is empty") }
        let edits = edits.enumerated().sorted { left, right in
            let (a, b) = (left.element.range, right.element.range)
            return (a.lowerBound, a.upperBound, left.offset) < (b.lowerBound, b.upperBound, right.offset)
        }.map(\.element)
        var text: [UInt8] = []
        text.reserveCapacity(base.count)
        var position = 0
        for edit in edits {
            guard edit.range.lowerBound >= position else { throw .deltaRefused("edits overlap") }
            guard edit.range.upperBound <= base.count else { throw .deltaRefused("an edit lies behind the end") }
            guard isBoundary(edit.range.lowerBound, of: base), isBoundary(edit.range.upperBound, of: base) else {
                throw .deltaRefused("an edit begins or ends inside of a character")
            }
            text += slice(base, position..<edit.range.lowerBound)
            text += edit.text
            position = edit.range.upperBound
            guard text.count <= limit else { throw .deltaRefused("the result has more than \(limit) bytes") }
        }
        text += slice(base, position..<base.count)
        guard text.count <= limit else { throw .deltaRefused("the result has more than \(limit) bytes") }
        guard hexadecimalHash(of: [text[...]], hash) == expected else {
            throw .deltaRefused("the result has another checksum than checkpointHash")
        }
        return text
    }

    private static func slice(_ text: ArraySlice<UInt8>, _ range: Range<Int>) -> ArraySlice<UInt8> {
        text[(text.startIndex + range.lowerBound)..<(text.startIndex + range.upperBound)]
    }

    /// Whether a character of UTF-8 begins at the position, or the text ends there.
    private static func isBoundary(_ position: Int, of text: ArraySlice<UInt8>) -> Bool {
        position == text.count || text[text.startIndex + position] & 0xC0 != 0x80
    }
}
