package import Contract

/// Finds the route of a request over all operations of the contract.
///
/// Method first; a literal beats a parameter at the first differing segment; dead ends are left by backtracking. A trie
/// that looks at the path first cannot answer 23 pairs of routes of this contract. It works on the raw bytes, without a
/// heap allocation: each literal was hashed when the table was built, each segment is hashed once while it is split.
package struct Router: Sendable {
    package enum Match: Sendable {
        /// The index of the route in the list the router was built from, and where the segments of the path are.
        case found(route: Int, PathSegments)
        /// The path exists with these methods only, in the order of `OperationMethod.allCases`.
        case methodNotAllowed([OperationMethod])
        case notFound
        case malformed(PathSegments.Problem)
    }

    /// A literal segment below a node.
    private struct Edge: Sendable {
        let hash: UInt32
        let literal: [UInt8]
        let node: Int
    }

    private struct Node: Sendable {
        var literals: [Edge] = []
        var parameter: Int?
        var route: Int?
    }

    private var nodes: [Node] = []
    /// The root of each method's trie, by the method's position.
    private var roots: [Int] = []

    /// - Parameter routes: method and path template, such as `/api/stacks/{orgName}`.
    package init(_ routes: [(method: OperationMethod, template: PathTemplate)]) {
        roots = OperationMethod.allCases.map { _ in append() }
        for (index, route) in routes.enumerated() {
            insert(index, route.template, below: roots[route.method.position])
        }
    }

    /// The route of `method` and `path`, which ends before the `?`.
    ///
    /// `HEAD` finds the route of `GET` where the contract has none of its own (RFC 9110 §9.3.2).
    package func match(_ method: OperationMethod?, _ path: Span<UInt8>) -> Match {
        let segments: PathSegments
        do {
            segments = try PathSegments(path)
        } catch .tooMany {
            return .notFound
        } catch {
            return .malformed(error)
        }
        if let method, let route = find(method, segments, path) { return .found(route: route, segments) }
        if method == .head, let route = find(.get, segments, path) { return .found(route: route, segments) }
        var allowed: [OperationMethod] = []
        for method in OperationMethod.allCases where find(method, segments, path) != nil { allowed.append(method) }
        guard !allowed.isEmpty else { return .notFound }
        if allowed.contains(.get), !allowed.contains(.head) { allowed.append(.head) }
        return .methodNotAllowed(OperationMethod.allCases.filter(allowed.contains))
    }

    private func find(_ method: OperationMethod, _ segments: PathSegments, _ path: Span<UInt8>) -> Int? {
        find(below: roots[method.position], 0, segments, path)
    }

    private func find(below node: Int, _ depth: Int, _ segments: PathSegments, _ path: Span<UInt8>) -> Int? {
        if depth == segments.count { return nodes[node].route }
        let hash = segments[depth].hash
        for edge in nodes[node].literals
        where edge.hash == hash && segments.matches(depth, of: path, edge.literal.span) {
            if let route = find(below: edge.node, depth + 1, segments, path) { return route }
        }
        guard let parameter = nodes[node].parameter else { return nil }
        return find(below: parameter, depth + 1, segments, path)
    }

    private mutating func append() -> Int {
        nodes.append(Node())
        return nodes.count - 1
    }

    private mutating func insert(_ index: Int, _ template: PathTemplate, below root: Int) {
        var node = root
        for part in template.parts {
            switch part {
            case .literal(let text):
                let literal = Array(text.utf8)
                if let edge = nodes[node].literals.first(where: { $0.literal == literal }) {
                    node = edge.node
                } else {
                    let next = append()
                    nodes[node].literals.append(Edge(hash: FNV.hash(literal), literal: literal, node: next))
                    node = next
                }
            case .parameter:
                let next = nodes[node].parameter ?? append()
                nodes[node].parameter = next
                node = next
            }
        }
        precondition(nodes[node].route == nil, "two routes with the same method and shape: \(template)")
        nodes[node].route = index
    }
}
