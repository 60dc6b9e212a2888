import Contract
import Kernel

/// The table of all routes as text: `docs/routes.txt`, which is compared with the code by a test.
///
/// A change of who may do what is one changed line in review.
package struct RouteListing: Sendable {
    /// The columns of method, path, operation and access.
    ///
    /// Fixed, so that no line depends on another one; what is longer pushes the rest of its line aside.
    private static let widths = [6, 88, 40, 32]

    package let text: String

    package init(_ routes: [Route]) {
        let rows = routes.map(Self.row).sorted { $0.order.lexicographicallyPrecedes($1.order) }
        text = rows.map { Self.line($0.cells) }.joined()
    }

    private static func row(_ route: Route) -> (order: [String], cells: [String]) {
        let method = route.descriptor.method.rawValue
        let path = route.descriptor.path
        return ([path, method], [method, path, route.descriptor.id, route.access, audit(route)])
    }

    private static func audit(_ route: Route) -> String {
        switch route.audit {
        case .query: "-"
        case .action(let action): action.slug
        case .unaudited(let reason): "unaudited: \(reason)"
        case .unimplemented(let reason): "unimplemented: \(reason)"
        }
    }

    /// The cells in columns; the last one is not padded.
    private static func line(_ cells: [String]) -> String {
        var line = ""
        for (cell, width) in zip(cells, widths) {
            line += cell
            line += String(repeating: " ", count: max(0, width - cell.utf8.count) + 2)
        }
        return "\(line)\(cells[cells.count - 1])\n"
    }
}
