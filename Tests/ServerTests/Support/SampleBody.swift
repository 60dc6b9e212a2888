import Contract
import Foundation
import HTTPAPI
import Testing

/// A body for an operation with every field that the contract gives it, down to a depth, and the objects in it.
struct SampleBody {
    private let root: Node
    /// The places of the objects that have fields, in the spelling of messages; the whole body is the empty text.
    let objects: [String]

    private indirect enum Node {
        case value(String)
        case object(path: String, members: [(name: String, value: Node)])
        case list([Node])
    }

    /// Nil for an operation whose body has no fields: a map, or free-form JSON.
    init?(for descriptor: OperationDescriptor) throws {
        let contract = try SampleContract.shared.get()
        guard let type = contract.body(of: descriptor.id) else { return nil }
        var paths: [String] = []
        root = Self.make(type, at: "", depth: 0, contract, &paths)
        guard !paths.isEmpty else { return nil }
        objects = paths
    }

    /// The body as JSON, with a member more in one of its objects.
    func text(adding member: String? = nil, to object: String = "") -> String {
        Self.write(root, member, object)
    }

    private static func write(_ node: Node, _ member: String?, _ object: String) -> String {
        switch node {
        case .value(let text): return text
        case .list(let elements):
            return "[\(elements.map { write($0, member, object) }.joined(separator: ","))]"
        case .object(let path, let members):
            var parts = members.map { "\"\($0.name)\":\(write($0.value, member, object))" }
            if let member, path == object { parts.append(member) }
            return "{\(parts.joined(separator: ","))}"
        }
    }

    private static let deepest = 4

    private static func make(
        _ type: [String: Any],
        at path: String,
        depth: Int,
        _ contract: SampleContract,
        _ paths: inout [String]
    ) -> Node {
        func below(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
        if let name = type["ref"] as? String {
            guard !contract.raw.contains(name), let schema = contract.concrete(name) else { return .value("{}") }
            if let words = schema.fields["enum"] as? [Any], let first = words.first {
                return .value(first is String ? "\"\(first)\"" : "\(first)")
            }
            paths.append(path)
            var members: [(name: String, value: Node)] = []
            let properties = schema.fields["properties"] as? [String: [String: Any]] ?? [:]
            for (name, property) in properties.sorted(by: { $0.key < $1.key }) {
                if property["discriminator"] as? Bool == true {
                    members.append((name, .value("\"\(schema.word ?? "")\"")))
                } else if depth < deepest || property["required"] as? Bool == true && depth < 2 * deepest {
                    members.append((name, make(property, at: below(name), depth: depth + 1, contract, &paths)))
                }
            }
            return .object(path: path, members: members)
        }
        if let items = type["items"] as? [String: Any] {
            return .list([make(items, at: path.isEmpty ? "body[0]" : "\(path)[0]", depth: depth, contract, &paths)])
        }
        if let map = type["map"] as? [String: Any] {
            return .object(path: "(a map)", members: [("k", make(map, at: below("k"), depth: depth, contract, &paths))])
        }
        switch (type["type"] as? String, type["format"] as? String) {
        case ("string", "date-time"): return .value("\"2030-01-01T00:00:00Z\"")
        case ("string", "byte"): return .value("\"YQ==\"")
        case ("string", _): return .value("\"a\"")
        case ("integer", _), ("number", _): return .value("1")
        case ("boolean", _): return .value("true")
        default: return .value("{\"free\":{\"form\":[1]}}")
        }
    }
}

/// The contract as it stands in the repository, with the overrides that concern bodies.
private struct SampleContract {
    /// SAFETY: made once, and never changed.
    nonisolated(unsafe) static let shared = Result { try SampleContract() }

    let raw: Set<String>
    private var bodies: [String: [String: Any]] = [:]
    private let schemas: [String: [String: Any]]

    init() throws {
        let contract = try Self.object("Contract/contract.json")
        let overrides = try Self.object("Contract/overrides.json")
        schemas = contract["schemas"] as? [String: [String: Any]] ?? [:]
        for operation in contract["operations"] as? [[String: Any]] ?? [] {
            if let id = operation["id"] as? String { bodies[id] = operation["requestSchema"] as? [String: Any] }
        }
        for override in overrides["operations"] as? [[String: Any]] ?? [] {
            guard let body = override["body"] as? [String: Any] else { continue }
            for id in override["ids"] as? [String] ?? [] { bodies[id] = body }
        }
        var raw: Set<String> = []
        for override in overrides["schemas"] as? [[String: Any]] ?? [] where override["raw"] as? Bool == true {
            if let name = override["schema"] as? String { raw.insert(name) }
        }
        self.raw = raw
    }

    func body(of id: String) -> [String: Any]? { bodies[id] }

    /// The schema, or the first concrete one of a union, with the word that names it.
    func concrete(_ name: String) -> (fields: [String: Any], word: String?)? {
        guard let schema = schemas[name] else { return nil }
        let union = schema["discriminator"] as? [String: Any]
        let subtypes = (union?["subtypes"] as? [String: String] ?? [:]).sorted { $0.key < $1.key }
        for (word, subtype) in subtypes where schemas[subtype]?["abstract"] as? Bool != true {
            return schemas[subtype].map { ($0, word) }
        }
        return (schema, schema["discriminatorValue"] as? String)
    }

    private static func object(_ path: String) throws -> [String: Any] {
        let value = try JSONSerialization.jsonObject(with: Repository.read(path))
        return try #require(value as? [String: Any], "\(path) is no object")
    }
}
