package import Kernel

/// The tags of one stack, checked: names by rule, values by length, each at most once.
package struct StackTags: Sendable, Equatable {
    /// How long a value may be, in bytes (`spec/cli-protocol.md` §3).
    package static let longestValue = 256
    /// The tag that follows the stack's project.
    package static let project = "pulumi:project"

    package private(set) var values: [String: String]

    /// - Parameter field: what messages call the map.
    package init(_ values: [String: String], field: String = "tags") throws(ServiceError) {
        for (name, value) in values {
            guard StackTagName.accepts(name) else {
                throw .invalid("\(field).\(name)", "a tag's name must \(StackTagName.rule)")
            }
            guard value.utf8.count <= Self.longestValue else {
                throw .invalid("\(field).\(name)", "a tag's value has at most \(Self.longestValue) bytes")
            }
        }
        self.values = values
    }

    package init(trusted values: [String: String]) {
        self.values = values
    }

    /// These tags as a complete replacement of `current`.
    ///
    /// The project tag stays as it is: left out it is kept, changed it is refused. Where there is none, it may only name
    /// the stack's own project.
    package func replacing(_ current: StackTags, in project: ProjectName) throws(ServiceError) -> StackTags {
        guard let kept = current.values[Self.project] else {
            try requireProject(values[Self.project], is: project)
            return self
        }
        guard values[Self.project] ?? kept == kept else { throw .tagIsBuiltIn(Self.project) }
        var result = self
        result.values[Self.project] = kept
        return result
    }

    /// Checks that a value for the project tag names the project; nil is no value.
    ///
    /// A project file may have letters that paths cannot: clients put `-` in their place (`spec/cli-protocol.md` §3).
    private func requireProject(_ value: String?, is project: ProjectName) throws(ServiceError) {
        guard let value else { return }
        // A letter followed by a dot is a name, a dot alone is not.
        let inPaths = value.unicodeScalars.map { ProjectName.accepts("a\($0)") ? String($0) : "-" }.joined()
        guard inPaths == project.rawValue else { throw .tagIsBuiltIn(Self.project) }
    }
}
