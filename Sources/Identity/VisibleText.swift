/// Text by which people decide whom they trust.
enum VisibleText {
    /// Whether text shows what it is: it is not empty, has no blank at an end and nothing that cannot be seen.
    static func isPlain(_ text: String) -> Bool {
        let scalars = text.unicodeScalars
        guard let first = scalars.first, let last = scalars.last else { return false }
        return !first.properties.isWhitespace && !last.properties.isWhitespace && scalars.allSatisfy(isVisible)
    }

    /// Controls, marks that turn the direction of writing and half pairs make one text look like another.
    static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }
}
