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
        text.unicodeScalars.count <= 40 && VisibleText.isPlain(text)
    }
}
