import Contract
import HTTPServer
import Kernel

/// The routes with one answer for everybody, found by their path as it stands in the request: probes come many thousand
/// times a second, and nothing is decoded or made for them.
struct InlineRoutes: Sendable {
    /// A class, so that finding one copies nothing of it.
    final class Entry: Sendable {
        /// Of the route in the table.
        let index: Int
        /// All of it but the request's id.
        let answer: Result<HTTPResponse, any Error>
        fileprivate let path: String

        fileprivate init(path: String, index: Int, answer: Result<HTTPResponse, any Error>) {
            self.path = path
            self.index = index
            self.answer = answer
        }
    }

    /// A handful, so that looking at each is quicker than hashing a path.
    private let entries: [Entry]

    init(_ routes: [Route], prefix: String, encoder: AnswerEncoder) {
        entries = routes.enumerated().compactMap { index, route in
            route.inline.map { reply in
                Entry(
                    path: prefix + route.descriptor.path,
                    index: index,
                    answer: Result { try encoder.encodeInline(reply.get()) }
                )
            }
        }
    }

    /// The route of a plain `GET`; nil for everything else.
    func find(_ head: HTTPRequestHead) -> Entry? {
        guard head.method == .get else { return nil }
        return entries.first { head.target.hasPath($0.path) }
    }
}
