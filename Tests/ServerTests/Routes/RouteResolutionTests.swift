import Contract
import HTTPAPI
import Testing

@Suite("Finding a route")
struct RouteResolutionTests {
    private let router = Router(EveryRoute.routes.map { ($0.descriptor.method, $0.template) })

    @Test("Every operation's path leads to the operation itself")
    func resolves() {
        for route in EveryRoute.routes {
            let path = EveryRoute.path(of: route)

            #expect(find(route.descriptor.method.rawValue, path) == route.descriptor.id, "\(route.name)")
        }
    }

    @Test("A path that fits two operations leads to the one whose literal comes first")
    func resolvesOverlaps() throws {
        let overlaps = try ContractFile.read().overlappingRoutes
        #expect(overlaps.count == 46)

        for overlap in overlaps {
            let parts = overlap.paths.map { PathTemplate($0).parts }
            let path = try #require(Self.common(parts[0], parts[1]), "\(overlap)")
            let winner = overlap.paths[try #require(Self.winner(parts[0], parts[1]), "\(overlap)")]

            #expect(find(overlap.method, path) == id(overlap.method, winner), "\(overlap.method) \(path)")
        }
    }

    @Test("The contract lists every pair of operations that a path may fit")
    func knowsOverlaps() throws {
        let listed = Set(try ContractFile.read().overlappingRoutes.map { Self.key($0.method, $0.paths) })
        let contract = EveryRoute.routes.filter { $0.descriptor.tag != "status" }
        var found: Set<String> = []

        for (index, one) in contract.enumerated() {
            for other in contract[(index + 1)...]
            where one.descriptor.method == other.descriptor.method
                && Self.common(one.template.parts, other.template.parts) != nil
            {
                found.insert(Self.key(one.descriptor.method.rawValue, [one.descriptor.path, other.descriptor.path]))
            }
        }

        #expect(found == listed)
    }

    @Test("Another method than a path has is answered with those it has")
    func listsMethods() {
        let path = Array("/api/stacks/acme/site/dev".utf8)

        guard case .methodNotAllowed(let methods) = router.match(.put, path.span) else {
            Issue.record("PUT of a stack is no operation")
            return
        }
        #expect(methods == [.get, .head, .delete])
    }

    private func find(_ method: String, _ path: String) -> String? {
        let path = Array(path.utf8)
        guard case .found(let index, _) = router.match(OperationMethod(rawValue: method), path.span) else { return nil }
        return EveryRoute.routes[index].descriptor.id
    }

    private func id(_ method: String, _ path: String) -> String? {
        EveryRoute.routes.first { $0.descriptor.method.rawValue == method && $0.descriptor.path == path }?.descriptor.id
    }

    private static func key(_ method: String, _ paths: [String]) -> String {
        "\(method) \(paths.sorted().joined(separator: " "))"
    }

    /// A path that fits both templates; nil when there is none.
    private static func common(_ one: [PathTemplate.Part], _ other: [PathTemplate.Part]) -> String? {
        guard one.count == other.count else { return nil }
        var path = ""
        for pair in zip(one, other) {
            switch pair {
            case (.literal(let left), .literal(let right)):
                guard left == right else { return nil }
                path += "/\(left)"
            case (.literal(let text), .parameter), (.parameter, .literal(let text)):
                path += "/\(text)"
            case (.parameter, .parameter):
                path += "/sample1"
            }
        }
        return path
    }

    /// 0 or 1: the template that has a literal where they first differ.
    private static func winner(_ one: [PathTemplate.Part], _ other: [PathTemplate.Part]) -> Int? {
        for pair in zip(one, other) {
            switch pair {
            case (.literal, .parameter): return 0
            case (.parameter, .literal): return 1
            default: continue
            }
        }
        return nil
    }
}
