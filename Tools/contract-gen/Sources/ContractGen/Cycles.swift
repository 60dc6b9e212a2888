/// Finds the schemas that hold themselves by value, which Swift needs a box for.
struct Cycles {
    /// Unions on a cycle; making them indirect breaks it.
    private(set) var indirectUnions: Set<String> = []
    private var edges: [String: Set<String>] = [:]

    init(_ contract: Contract, used: Set<String>) {
        for name in used.sorted() {
            guard let schema = contract.schemas[name] else { continue }
            if contract.unionField(of: schema) != nil {
                edges[name] = Set(contract.subtypes(of: schema).map(\.schema))
            } else {
                edges[name] = Set(schema.properties.compactMap(Self.held))
            }
        }
        for name in used.sorted() {
            guard let schema = contract.schemas[name], contract.unionField(of: schema) != nil else { continue }
            if reachable(from: name).contains(name) { indirectUnions.insert(name) }
        }
        for name in indirectUnions {
            edges[name] = []
        }
    }

    func needsBox(_ property: Contract.Property, of schema: Contract.Schema) -> Bool {
        guard let held = Self.held(property) else { return false }
        return held == schema.name || reachable(from: held).contains(schema.name)
    }

    /// The schema that a property holds by value; lists and maps hold their elements elsewhere.
    private static func held(_ property: Contract.Property) -> String? {
        if case .reference(let name) = property.type { name } else { nil }
    }

    private func reachable(from name: String) -> Set<String> {
        var seen: Set<String> = []
        var queue = Array(edges[name] ?? [])
        while let next = queue.popLast() {
            if seen.insert(next).inserted { queue.append(contentsOf: edges[next] ?? []) }
        }
        return seen
    }
}
