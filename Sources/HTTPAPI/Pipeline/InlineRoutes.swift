import Contract
import HTTPServer
import Kernel

/// The routes that await nothing, found by their path as it stands in the request: probes come many thousand times a
/// second, and nothing is decoded for them.
struct InlineRoutes: Sendable {
    struct Entry: Sendable {
        let route: Route
        let handler: @Sendable (RawCall) throws -> RawReply
    }

    private let entries: [String: Entry]

    init(_ routes: [Route], prefix: String) {
        var entries: [String: Entry] = [:]
        for route in routes where route.isInline && route.template.parameters.isEmpty {
            guard let bound = try? route.bind([]), case .inline(let handler) = bound.answer else { continue }
            entries[prefix + route.descriptor.path] = Entry(route: route, handler: handler)
        }
        self.entries = entries
    }

    /// The route of a plain `GET`; nil for everything else.
    func find(_ head: HTTPRequestHead) -> Entry? {
        guard head.method == .get else { return nil }
        return entries[String(head.target.path)]
    }
}
