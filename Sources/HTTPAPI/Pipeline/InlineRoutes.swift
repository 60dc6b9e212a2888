import Contract
import HTTPServer
import Kernel

/// The routes that await nothing, found by their path as it stands in the request: probes come many thousand times a
/// second, and nothing is decoded for them.
struct InlineRoutes: Sendable {
    /// A class, so that finding one copies nothing of it.
    final class Entry: Sendable {
        /// Of the route in the table.
        let index: Int
        let answer: @Sendable () throws -> RawReply
        fileprivate let path: String

        fileprivate init(path: String, index: Int, answer: @escaping @Sendable () throws -> RawReply) {
            self.path = path
            self.index = index
            self.answer = answer
        }
    }

    /// A handful, so that looking at each is quicker than hashing a path.
    private let entries: [Entry]

    init(_ routes: [Route], prefix: String) {
        entries = routes.enumerated().compactMap { index, route in
            route.inline.map { Entry(path: prefix + route.descriptor.path, index: index, answer: $0) }
        }
    }

    /// The route of a plain `GET`; nil for everything else.
    func find(_ head: HTTPRequestHead) -> Entry? {
        guard head.method == .get else { return nil }
        return entries.first { head.target.hasPath($0.path) }
    }
}
