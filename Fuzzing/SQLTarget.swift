import Persistence

/// Values in SQL text.
enum SQLTarget {
    @Sendable static func run(_ input: ArraySlice<UInt8>) {
        let texts = input.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }

        let statements = render(texts)
        let others = render(texts.map { _ in "x" })

        for (statement, other) in zip(statements, others) {
            require(statement.text == other.text, "values change no text")
            let places = statement.text.utf8.count { $0 == UInt8(ascii: "?") }
            require(places == statement.parameters.count, "each value has one place")
        }
    }

    private static func render(_ texts: [String]) -> [SQL] {
        let list = SQL.joined(texts.map { text in "\(text)" }, by: ", ")
        let conditions = texts.map { text -> SQL in "name = \(text)" } + texts.map { SQLRendering.contains("name", $0) }
        let first = texts.first ?? ""
        return [
            "SELECT 1 FROM stacks WHERE name IN (\(list)) AND tag <> \(first)",
            SQL.joined(conditions, by: " OR "),
            SQLRendering.insert(into: "stacks", ["name": first, "count": texts.count]),
            SQLRendering.upsert(
                into: "stacks",
                key: ["name": first],
                set: ["value": texts.last ?? ""],
                dialect: .sqlite
            ),
            SQLRendering.upsert(
                into: "stacks",
                key: ["name": first],
                set: ["value": texts.last ?? ""],
                dialect: .mysql
            ),
            SQLRendering.lock("stacks", where: "name = \(first)"),
        ]
    }
}
