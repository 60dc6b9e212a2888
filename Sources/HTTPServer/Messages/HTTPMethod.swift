/// The method of a request, as sent: methods are case-sensitive (RFC 9110 §9.1), and any token is one.
package struct HTTPMethod: Hashable, Sendable, CustomStringConvertible {
    package let name: String

    package init(_ name: String) {
        self.name = name
    }

    package var description: String { name }

    package static let get = Self("GET")
    package static let head = Self("HEAD")
    package static let post = Self("POST")
    package static let put = Self("PUT")
    package static let patch = Self("PATCH")
    package static let delete = Self("DELETE")
    package static let options = Self("OPTIONS")
}
