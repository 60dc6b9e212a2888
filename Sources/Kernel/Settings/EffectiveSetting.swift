/// One setting as `cairn check` shows it.
package struct EffectiveSetting: Equatable, Sendable, CustomStringConvertible {
    /// Where the value comes from.
    package enum Source: Equatable, Sendable {
        /// The operator set it, perhaps under an older name.
        case set(as: String)
        case `default`
        case unset
    }

    package let name: String
    /// The text in force, `[redacted]` for a secret that is set; nil when there is none.
    package let value: String?
    package let source: Source

    /// `PORT = 8443 (set)`, `PORT = 8080 (default)`, `GITLAB_OAUTH_SECRET = [redacted] (set)`, `AWS_REGION is not set`.
    package var description: String {
        guard let value else { return "\(name) is not set" }
        switch source {
        case .set(name): return "\(name) = \(escaped(value)) (set)"
        case .set(let older): return "\(name) = \(escaped(value)) (set as \(older))"
        case .default, .unset: return "\(name) = \(escaped(value)) (default)"
        }
    }
}

/// A text between quotes, on one line, and not longer than a problem can carry.
func quoted(_ text: String) -> String {
    let shown = escaped(text)
    return shown.count > 120 ? "\"\(shown.prefix(117))...\"" : "\"\(shown)\""
}

/// The text with its control characters written out, so that it stays on one line and cannot steer a terminal.
func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        default:
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default: result.unicodeScalars.append(scalar)
            }
        }
    }
    return result
}
