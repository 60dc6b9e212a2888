package import Kernel

/// Pages by number and size, the style of histories and deployments (`spec/rest-wider.md` §1.4).
///
/// Numbers count from 1. In some lists page 0 is everything, as far as the largest size goes.
package struct NumberedPaging: Sendable {
    /// What a client asks for.
    package struct Request: Sendable, Equatable {
        /// 0 for everything, otherwise 1 or more.
        package var page: Int
        package var size: Int

        package init(page: Int, size: Int) {
            self.page = page
            self.size = size
        }

        /// How many items come before the page.
        package var skipped: Int { page > 1 ? (page - 1) * size : 0 }
    }

    /// Further pages than this have nothing but cost.
    private static let last = 1_000_000

    private let standard: Int
    private let largest: Int
    private let startsWithAll: Bool

    /// - Parameters:
    ///   - standard: how many items a page has when the client does not say.
    ///   - largest: how many it has at the most; asking for more is refused, as it is by the service clients know.
    ///   - startsWithAll: whether a client that asks for no page gets everything; page 0 is then a number, too.
    package init(standard: Int, largest: Int, startsWithAll: Bool = false) {
        precondition((1...largest).contains(standard), "a page of a standard size is no larger than the largest one")
        self.standard = standard
        self.largest = largest
        self.startsWithAll = startsWithAll
    }

    /// Reads the two parameters; a size of 0 is not set, because one client sends 0 for that.
    ///
    /// - Throws: `.invalidArgument` naming the parameter.
    package func request(page: Int?, size: Int?) throws(ServiceError) -> Request {
        let first = startsWithAll ? 0 : 1
        guard let size = size == 0 ? nil : size else {
            return Request(page: try number(page ?? first), size: standard)
        }
        guard (1...largest).contains(size) else { throw .invalid("pageSize", "is a number from 1 to \(largest)") }
        return Request(page: try number(page ?? 1), size: size)
    }

    private func number(_ page: Int) throws(ServiceError) -> Int {
        if page == 0, !startsWithAll { return 1 }
        guard (0...Self.last).contains(page) else { throw .invalid("page", "is a number from 1 to \(Self.last)") }
        return page
    }
}
