import StateStore

extension CheckpointDelta {
    /// The text after the edits, checked: by its hash, and that it is a document.
    func apply(to base: PiecedText, hash: HashMaker) throws(StateError) -> (PiecedText, DocumentSummary) {
        let text = try edited(base)
        try check(text, hash: hash)
        return (text, try SummaryReader.summary(of: text.pieces))
    }
}
