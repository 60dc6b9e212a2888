import Contract

/// What `DescribeTable` says of a table, and what of it is not as it must be.
///
/// | part | must be |
/// |---|---|
/// | hash key | `org_id`, a string |
/// | range key | `timestamp_id`, a string |
/// | index `org_user` | hash key `org_user_id`, range key `timestamp_id`, all attributes |
struct DynamoTableShape {
    static let index = "org_user"
    static let hashKey = "org_id"
    static let rangeKey = "timestamp_id"
    static let indexHashKey = "org_user_id"

    /// What tells this table from one that is made under its name later.
    let identity: String
    /// One line for each thing that nobody but the operator can put right.
    let problems: [String]
    /// What will pass, such as a table that is being made.
    let delay: String?

    /// Nil for what is no answer to `DescribeTable`.
    init?(_ answer: JSONObject) {
        guard let table = answer.object("Table") else { return nil }
        let made = if case .number(let text)? = table["CreationDateTime"] { text } else { "" }
        identity = table.text("TableId") ?? "\(table.text("TableArn") ?? "") \(made)"
        let indexes = table.objects("GlobalSecondaryIndexes")
        let index = indexes.first { $0.text("IndexName") == Self.index }
        problems = Self.problems(table, index)
        delay = Self.delay(table, index)
    }

    private static func problems(_ table: JSONObject, _ index: JSONObject?) -> [String] {
        let types = Dictionary(
            table.objects("AttributeDefinitions").compactMap { definition in
                definition.text("AttributeName").map { ($0, definition.text("AttributeType") ?? "") }
            }
        ) { first, _ in first }
        var problems = keyProblems(table, "the table", hash: hashKey, range: rangeKey, types)
        guard let index else {
            problems.append(
                "it has no global secondary index '\(Self.index)' (hash key \(indexHashKey), range key \(rangeKey), all attributes)"
            )
            return problems
        }
        problems += keyProblems(index, "index '\(Self.index)'", hash: indexHashKey, range: rangeKey, types)
        let projection = index.object("Projection")?.text("ProjectionType") ?? "nothing"
        if projection != "ALL" {
            problems.append("index '\(Self.index)' projects \(projection), not ALL attributes")
        }
        return problems
    }

    private static func keyProblems(
        _ object: JSONObject,
        _ what: String,
        hash: String,
        range: String,
        _ types: [String: String]
    ) -> [String] {
        var problems: [String] = []
        let keys = object.objects("KeySchema")
        for (kind, word, wanted) in [("HASH", "hash", hash), ("RANGE", "range", range)] {
            let found = keys.first { $0.text("KeyType") == kind }?.text("AttributeName")
            if let found, found != wanted {
                problems.append("the \(word) key of \(what) is '\(found)', not '\(wanted)'")
            } else if found == nil {
                problems.append("\(what) has no \(word) key; it must be '\(wanted)'")
            } else if let type = types[wanted], type != "S" {
                problems.append("the \(word) key '\(wanted)' of \(what) is of type \(type), not S (string)")
            }
        }
        return problems
    }

    private static func delay(_ table: JSONObject, _ index: JSONObject?) -> String? {
        let status = table.text("TableStatus") ?? "ACTIVE"
        guard ["ACTIVE", "UPDATING"].contains(status) else { return "its status is \(status)" }
        let indexStatus = index?.text("IndexStatus") ?? "ACTIVE"
        guard ["ACTIVE", "UPDATING"].contains(indexStatus) else {
            return "the status of its index '\(Self.index)' is \(indexStatus)"
        }
        return nil
    }
}
