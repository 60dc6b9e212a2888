import Kernel

/// The name of a token that belongs to an organization.
///
/// It stands in audit logs and in the history of stacks, where the login of a person would stand. Names that end in a
/// space are among those refused, because MySQL takes them for the same without it.
package struct OrganizationTokenName: Name {
    package static let field = "name"
    package static let rule = "have 1 to 40 characters, no control characters, and no blank at the beginning or the end"

    package let rawValue: String

    package init(unchecked text: String) {
        rawValue = text
    }

    package static func accepts(_ text: String) -> Bool {
        text.unicodeScalars.count <= 40 && hasVisibleForm(text)
    }

    /// Whether text shows what it is: it is not empty, has no blank at an end and nothing that cannot be seen.
    static func hasVisibleForm(_ text: String) -> Bool {
        let scalars = text.unicodeScalars
        guard let first = scalars.first, let last = scalars.last else { return false }
        return !first.properties.isWhitespace && !last.properties.isWhitespace && scalars.allSatisfy(isVisible)
    }

    /// Controls, marks that turn the direction of writing and half pairs make one name look like another.
    private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }
}
