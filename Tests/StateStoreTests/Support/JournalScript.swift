import Kernel
import StateStore

/// Journals in the short notation of `spec/cli-protocol.md` §23.3.
///
/// A resource is `a@1!del<-b,c^p`: URN `a`, marker property `v` = 1 (0 is not written), marks, dependencies, parent. An
/// entry is `k1 op2 state=A@1^S removeOld=1 isRefresh` with its number in front.
enum JournalScript {
    /// The text of a resource.
    static func resource(_ notation: String) -> String {
        let fields = parts(of: notation)
        var text = #"{"urn":"\#(fields.urn)","custom":false,"type":"t""#
        if fields.version != "0" { text += #","outputs":{"v":\#(fields.version)}"# }
        if fields.marks.contains("del") { text += #","delete":true"# }
        if fields.marks.contains("pr") { text += #","pendingReplacement":true"# }
        if !fields.parent.isEmpty { text += #","parent":"\#(fields.parent)""# }
        if !fields.dependencies.isEmpty {
            text += #","dependencies":[\#(fields.dependencies.map { "\"\($0)\"" }.joined(separator: ","))]"#
        }
        return text + "}"
    }

    /// A document of these resources and pending operations (`creating old`).
    static func document(_ resources: [String], pending: [String] = []) -> String {
        var body = #"{"manifest":{"time":"2026-01-01T00:00:00Z","magic":"","version":""},"metadata":{}"#
        if !resources.isEmpty { body += #","resources":[\#(resources.map(resource).joined(separator: ","))]"# }
        if !pending.isEmpty {
            body += #","pending_operations":[\#(pending.map(operation).joined(separator: ","))]"#
        }
        return #"{"version":3,"deployment":\#(body)}}"#
    }

    /// One entry from `1 k6 op0`.
    static func entry(_ notation: String) -> String {
        let words = notation.split(separator: " ").map(String.init)
        var text = #"{"version":1,"sequenceID":\#(words[0]),"kind":\#(words[1].dropFirst())"#
        text += #","operationID":\#(words[2].dropFirst(2))"#
        var pointers = ["removeOld": "null", "removeNew": "null"]
        for word in words.dropFirst(3) {
            let pair = word.split(separator: "=", maxSplits: 1).map(String.init)
            switch (pair[0], pair.count) {
            case ("isRefresh", _): text += #","isRefresh":true"#
            case ("requiresByteString", _): text += #","requiresByteString":true"#
            case ("state", _): text += #","state":\#(resource(pair[1]))"#
            case (_, 2): pointers[pair[0]] = pair[1]
            default: text += #","operation":\#(operation(word.replacing("_", with: " ")))"#
            }
        }
        if words[1] == "k6" { text += #","secretsProvider":{"type":"passphrase","state":{"salt":"s"}}"# }
        for (key, value) in pointers.sorted(by: { $0.key < $1.key }) { text += #","\#(key)":\#(value)"# }
        return text + "}"
    }

    static func operation(_ notation: String) -> String {
        let words = notation.split(separator: " ").map(String.init)
        return #"{"resource":\#(resource(words[1])),"type":"\#(words[0])"}"#
    }

    /// The resources of a document in the same notation.
    static func describe(_ document: StateDocument) throws -> [String] {
        try (document.deployment?.resources ?? []).map { try describe(Tree(parsing: $0.bytes)) }
    }

    static func describePending(_ document: StateDocument) throws -> [String] {
        try (document.deployment?.pendingOperations ?? []).map { operation in
            let tree = try Tree(parsing: operation.bytes)
            return "\(operation.type) \(describe(tree["resource"] ?? .null))"
        }
    }

    static func describe(_ resource: Tree) -> String {
        var text = resource["urn"]?.text ?? "?"
        if let version = resource["outputs"]?["v"]?.int { text += "@\(version)" }
        if resource["delete"] == .bool(true) { text += "!del" }
        if resource["pendingReplacement"] == .bool(true) { text += "!pr" }
        let dependencies = (resource["dependencies"]?.list ?? []).compactMap(\.text)
        if !dependencies.isEmpty { text += "<-" + dependencies.joined(separator: ",") }
        if let parent = resource["parent"]?.text { text += "^\(parent)" }
        return text
    }

    private static func parts(
        of notation: String
    ) -> (urn: String, version: String, marks: [String], dependencies: [String], parent: String) {
        let byParent = notation.split(separator: "^").map(String.init)
        let byDependencies = byParent[0].split(separator: "<-", maxSplits: 1).map(String.init)
        let byMarks = byDependencies[0].split(separator: "!").map(String.init)
        let byVersion = byMarks[0].split(separator: "@").map(String.init)
        let dependencies = byDependencies.count > 1 ? byDependencies[1].split(separator: ",").map(String.init) : []
        return (
            byVersion[0], byVersion.count > 1 ? byVersion[1] : "0", Array(byMarks.dropFirst()), dependencies,
            byParent.count > 1 ? byParent[1] : ""
        )
    }

    // MARK: Folding

    static let options = FoldOptions(
        time: Timestamp(seconds: 0),
        cliVersion: "v3.259.0",
        command: "up",
        hash: TestHash.maker
    )

    /// Folds batches of entries over a base text.
    static func fold(
        _ base: String,
        batches: [[String]],
        options: FoldOptions = options
    ) throws -> StateDocument {
        var fold = JournalFold()
        for batch in batches { try fold.add(body: bytes("{\"entries\":[\(batch.joined(separator: ","))]}")) }
        return try fold.finish(base: StateDocument(reading: bytes(base)), options: options)
    }
}
