/// The name of an organization, or the login of a user, which share one name space: every user's login is also the
/// name of a personal organization (`spec/cli-protocol.md` §3, `spec/cli-observed.md` 28).
package struct OrganizationName: Name {
    package static let field = "orgName"
    package static let rule = "have 3 to 40 letters, digits, '-' or '_', and begin and end with a letter or digit"

    /// Names that paths of the console and of clients use for something else.
    package static let reserved: Set<String> = [
        "organization", "welcome", "cli-login", "signin", "claim", "account", "user", "api",
    ]

    package let rawValue: String

    package init(unchecked text: String) {
        rawValue = text
    }

    package static func accepts(_ text: String) -> Bool {
        guard NameRules.matches(text, length: 3...40, extra: "-_"), let first = text.utf8.first,
            let last = text.utf8.last
        else { return false }
        return NameRules.isLetterOrDigit(first) && NameRules.isLetterOrDigit(last)
    }
}

package struct ProjectName: Name {
    package static let field = "projectName"
    package static let rule = "have 1 to 100 letters, digits, '-', '_' or '.', and not be '.' or '..'"

    package let rawValue: String

    package init(unchecked text: String) {
        rawValue = text
    }

    package static func accepts(_ text: String) -> Bool {
        NameRules.matches(text, length: 1...100, extra: "-_.") && text != "." && text != ".."
    }
}

package struct StackName: Name {
    package static let field = "stackName"
    package static let rule = ProjectName.rule

    package let rawValue: String

    package init(unchecked text: String) {
        rawValue = text
    }

    package static func accepts(_ text: String) -> Bool {
        ProjectName.accepts(text)
    }
}

package struct StackTagName: Name {
    package static let field = "name"
    package static let rule = "have 1 to 40 letters, digits, '-', '_', '.' or ':'"

    package let rawValue: String

    package init(unchecked text: String) {
        rawValue = text
    }

    package static func accepts(_ text: String) -> Bool {
        NameRules.matches(text, length: 1...40, extra: "-_.:")
    }
}
