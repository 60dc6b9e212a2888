package import Kernel

/// Names one note on a stack: its kind, and who or what wrote it.
package struct AnnotationKey: Sendable, Hashable {
    package let kind: String
    /// Empty for a note whose writer does not say who it is.
    package let source: String

    /// - Throws: `.invalidArgument` for a name that breaks the rule.
    package init(kind: String, source: String?) throws(ServiceError) {
        guard AnnotationName.accepts(kind) else { throw .invalid("kind", "must \(AnnotationName.rule)") }
        let source = source ?? ""
        guard source.isEmpty || AnnotationName.accepts(source) else {
            throw .invalid("source", "must \(AnnotationName.rule)")
        }
        self.kind = kind
        self.source = source
    }
}

/// The rule for kinds and sources of annotations; any such name may be used.
enum AnnotationName {
    static let rule = "have 1 to 100 letters, digits, '-', '_', '.' or ':'"

    static func accepts(_ text: String) -> Bool {
        (1...100).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
                default: "-_.:".utf8.contains(byte)
                }
            }
    }
}

/// A note on a stack: any JSON, with a number that rises with every change.
package struct StackAnnotation: Sendable, Equatable {
    package var version: Int
    /// A JSON text, as it came.
    package var body: String
}
