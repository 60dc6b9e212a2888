/// Why nothing can be generated; written for the person who changed the contract or the overrides.
package struct GeneratorError: Error, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
