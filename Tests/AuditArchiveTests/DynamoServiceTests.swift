import AuditArchive
import CloudAccess
import Contract
import Crypto
import Events
import Foundation
import Kernel
import ServiceTestKit
import Telemetry
import TestKit
import Testing

/// A DynamoDB that does what a test says: it keeps no order and no index, only what was put into it.
private final class ScriptedTable: Sendable {
    private struct State {
        var items: Set<String> = []
        var puts: [String] = []
    }

    private let state = Locked(State())

    /// The range keys of all items that were put.
    var items: Set<String> { state.withLock { $0.items } }
    /// The same in the order of putting, with those that came twice.
    var puts: [String] { state.withLock { $0.puts } }

    static let description = """
        {"Table":{"TableId":"one","TableStatus":"ACTIVE","KeySchema":[{"AttributeName":"org_id","KeyType":"HASH"},\
        {"AttributeName":"timestamp_id","KeyType":"RANGE"}],"GlobalSecondaryIndexes":[{"IndexName":"org_user",\
        "IndexStatus":"ACTIVE","KeySchema":[{"AttributeName":"org_user_id","KeyType":"HASH"},\
        {"AttributeName":"timestamp_id","KeyType":"RANGE"}],"Projection":{"ProjectionType":"ALL"}}],\
        "AttributeDefinitions":[{"AttributeName":"org_id","AttributeType":"S"},\
        {"AttributeName":"timestamp_id","AttributeType":"S"},{"AttributeName":"org_user_id","AttributeType":"S"}]}}
        """

    /// The items of a request, as the text of each put and its range key.
    static func requests(_ call: ScriptedServer.Call) -> [(text: String, key: String)] {
        guard let object = try? JSONSerialization.jsonObject(with: Data(call.body.utf8)) as? [String: Any],
            let tables = object["RequestItems"] as? [String: [[String: [String: [String: [String: String]]]]]]
        else { return [] }
        return tables.values.flatMap { $0 }.compactMap { request in
            guard let key = request["PutRequest"]?["Item"]?["timestamp_id"]?["S"],
                let text = try? JSONSerialization.data(withJSONObject: request)
            else { return nil }
            return (String(decoding: text, as: UTF8.self), key)
        }
    }

    /// Takes the first so many items of a request and leaves the others.
    func take(_ call: ScriptedServer.Call, atMost limit: Int = .max) -> ScriptedServer.Answer {
        let requests = Self.requests(call)
        state.withLock { state in
            for request in requests.prefix(limit) {
                state.items.insert(request.key)
                state.puts.append(request.key)
            }
        }
        let left = requests.dropFirst(limit).map(\.text).joined(separator: ",")
        return .init(body: left.isEmpty ? #"{"UnprocessedItems":{}}"# : #"{"UnprocessedItems":{"audit":[\#(left)]}}"#)
    }
}

extension ScriptedServer.Answer {
    fileprivate static func refusal(_ code: String, status: Int = 400) -> Self {
        .init(status: status, body: #"{"__type":"com.amazonaws.dynamodb.v20120810#\#(code)","message":"because"}"#)
    }
}

@Suite("DynamoDB for the audit log")
struct DynamoServiceTests {
    private static let headers = ["X-Amz-Target", "Content-Type", "Authorization"]

    /// Runs a table whose writes are answered by `write`, which is told how many came before.
    private func withService(
        events: Int = 60,
        write: @escaping @Sendable (ScriptedServer.Call, Int, ScriptedTable) -> ScriptedServer.Answer,
        _ body: (ArchiveBench, DynamoAuditTable, ScriptedTable, ScriptedServer) async throws -> Void
    ) async throws {
        let scripted = ScriptedTable()
        let writes = Locked(0)
        try await ScriptedServer.run(
            headers: Self.headers,
            answer: { call in
                switch call.headers["X-Amz-Target"] {
                case "DynamoDB_20120810.DescribeTable": return .init(body: ScriptedTable.description)
                case "DynamoDB_20120810.BatchWriteItem":
                    let number = writes.withLock { writes in
                        defer { writes += 1 }
                        return writes
                    }
                    return write(call, number, scripted)
                default: return .refusal("UnknownOperationException")
                }
            }
        ) { server in
            try await withArchive(.sqlite) { bench in
                try await bench.append(events)
                try await body(bench, try await bench.open("audit", at: server.url), scripted, server)
            }
        }
    }

    private func keys(_ bench: ArchiveBench) async throws -> [String] {
        try await bench.events().map { record in
            let seconds = record.event.at.rfc3339.dropLast()
            return "\(seconds).000000Z#\(record.event.id)"
        }
    }

    @Test("is asked in its protocol, for 25 events at a time, in their order")
    func calls() async throws {
        try await withService(write: { call, _, table in table.take(call) }) { bench, table, scripted, server in
            try await bench.settle(try await bench.runner(table))

            #expect(scripted.puts == (try await keys(bench)))
            let calls = server.calls
            let targets = calls.map { $0.headers["X-Amz-Target"]?.replacing("DynamoDB_20120810.", with: "") }
            #expect(targets == ["DescribeTable", "DescribeTable"] + Array(repeating: "BatchWriteItem", count: 3))
            #expect(calls.allSatisfy { $0.method == "POST" && $0.target == "/" })
            #expect(calls[0].body == #"{"TableName":"audit"}"#)
            #expect(calls[0].headers["Content-Type"] == "application/x-amz-json-1.0")
            #expect(calls[0].headers["Authorization"]?.contains("/eu-west-1/dynamodb/aws4_request") == true)
            #expect(calls.suffix(3).map { ScriptedTable.requests($0).count } == [25, 25, 10])
        }
    }

    @Test("is sent again what it left over, until it has everything", arguments: [1, 7, 24])
    func unprocessed(limit: Int) async throws {
        try await withService(write: { call, _, table in table.take(call, atMost: limit) }) {
            bench,
            table,
            scripted,
            _ in
            try await bench.settle(try await bench.runner(table), until: [60])

            #expect(scripted.items == Set(try await keys(bench)))
            #expect(try await bench.marks() == [60])
        }
    }

    @Test("that leaves everything over is told so in the log, and loses nothing")
    func stuck() async throws {
        let isStuck = Locked(true)
        try await withService(
            write: { call, number, table in table.take(call, atMost: isStuck.withLock { $0 } && number > 0 ? 0 : .max)
            },
            { bench, table, scripted, _ in
                let runner = try await bench.runner(table)

                try await bench.settle(runner)
                let marks = try await bench.marks()
                bench.clock.advance(by: .seconds(10))
                try await bench.settle(runner)
                let error = try await bench.lastError()
                isStuck.withLock { $0 = false }
                bench.clock.advance(by: .seconds(60))
                try await bench.settle(runner)

                #expect(marks == [25])
                #expect(bench.log.entries.contains { $0.message == "the audit log is copied slowly" })
                #expect(error?.contains("takes no more now: its capacity is used up") == true, "\(error ?? "")")
                #expect(scripted.items == Set(try await keys(bench)) && scripted.puts.count == 60)
                #expect(try await bench.marks() == [60])
            }
        )
    }

    @Test(
        "is asked again when it was asked too often, or failed",
        arguments: [
            (400, "ProvisionedThroughputExceededException"), (400, "ThrottlingException"),
            (400, "RequestLimitExceeded"), (500, "InternalServerError"), (503, "ServiceUnavailable"),
        ]
    )
    func throttled(status: Int, code: String) async throws {
        try await withService(
            write: { call, number, table in
                number % 3 == 2 ? table.take(call) : .refusal(code, status: status)
            },
            { bench, table, scripted, _ in
                try await bench.settle(try await bench.runner(table), until: [60])

                #expect(scripted.puts == (try await keys(bench)))
                #expect(try await bench.marks() == [60])
            }
        )
    }

    @Test(
        "that refuses is named in the log with what is missing, and everything waits",
        arguments: [
            ("ResourceNotFoundException", "does not exist, or not in this region and account"),
            ("AccessDeniedException", "these credentials may not use dynamodb:BatchWriteItem"),
            ("UnrecognizedClientException", "the credentials are refused: UnrecognizedClientException: because"),
            ("ExpiredTokenException", "the credentials are refused"),
            ("ValidationException", "dynamodb:BatchWriteItem fails: ValidationException: because"),
            ("NovelException", "dynamodb:BatchWriteItem fails: NovelException: because"),
            ("ThrottlingException", "takes no more now: its capacity is used up"),
        ]
    )
    func refusals(code: String, text: String) async throws {
        let refuses = Locked(true)
        try await withService(
            write: { call, number, table in
                refuses.withLock { $0 } ? .refusal(code) : table.take(call)
            },
            { bench, table, scripted, server in
                let runner = try await bench.runner(table)

                try await bench.settle(runner)
                let error = try await bench.lastError()
                let marks = try await bench.marks()
                refuses.withLock { $0 = false }
                bench.clock.advance(by: .seconds(60))
                try await bench.settle(runner)

                #expect(error?.contains("DynamoDB table audit at 127.0.0.1") == true, "\(error ?? "")")
                #expect(error?.contains(text) == true, "\(error ?? "")")
                #expect(marks.isEmpty)
                #expect(scripted.puts == (try await keys(bench)))
            }
        )
    }

    @Test(
        "that answers nonsense is believed in nothing",
        arguments: [
            #"{"UnprocessedItems":{"#, "", "[]", "{}", #"{"UnprocessedItems":{"audit":[{"DeleteRequest":{}}]}}"#,
            #"{"UnprocessedItems":{"audit":[{"PutRequest":{"Item":{"timestamp_id":{"S":"2030"}}}}]}}"#, "<html>",
        ]
    )
    func nonsense(body: String) async throws {
        try await withService(
            write: { call, number, table in number < 1 ? .init(body: body) : table.take(call) },
            { bench, table, scripted, _ in
                let runner = try await bench.runner(table)

                try await bench.settle(runner)
                let marks = try await bench.marks()
                bench.clock.advance(by: .seconds(60))
                try await bench.settle(runner)

                #expect(marks.isEmpty)
                #expect(scripted.puts == (try await keys(bench)))
                #expect(try await bench.marks() == [60])
            }
        )
    }

    @Test("that refuses one chain's events gets those of the others")
    func poisoned() async throws {
        try await withService(
            events: 5,
            write: { call, _, table in
                call.body.contains("poison") ? .refusal("ValidationException") : table.take(call)
            },
            { bench, table, scripted, _ in
                for _ in 0..<3 {
                    let scope = AuditEvent.Scope.organization(bench.clock.effects.id())
                    try await bench.append(2, in: scope, subject: "poison")
                }
                try await bench.append(4, in: .server)
                let runner = try await bench.runner(table)

                try await bench.settle(runner)

                #expect(scripted.items.count == 9)
                #expect(try await bench.marks() == [5, 4])
                #expect(try await bench.lastError()?.contains("ValidationException") == true)
            }
        )
    }
}

@Suite("The shape of a table for the audit log")
struct DynamoTableShapeTests {
    private static func keys(_ pairs: (String, String)...) -> String {
        pairs.map { #"{"AttributeName":"\#($0.0)","KeyType":"\#($0.1)"}"# }.joined(separator: ",")
    }

    private func open(_ description: String) async throws {
        try await ScriptedServer.run(answer: { _ in .init(body: description) }) { server in
            try await withArchive(.sqlite) { bench in _ = try await bench.open("audit", at: server.url) }
        }
    }

    @Test("is taken as it must be, also while the service changes its capacity")
    func fits() async throws {
        try await open(ScriptedTable.description)
        try await open(
            ScriptedTable.description.replacing(#""TableStatus":"ACTIVE""#, with: #""TableStatus":"UPDATING""#)
        )
        // Of older services, which say less.
        try await open(
            ScriptedTable.description.replacing(#""TableId":"one","TableStatus":"ACTIVE","#, with: "")
                .replacing(#""IndexStatus":"ACTIVE","#, with: "")
        )
    }

    @Test(
        "is refused with a line for each thing that is wrong",
        arguments: [
            (
                [(#""AttributeName":"org_id","KeyType""#, #""AttributeName":"org","KeyType""#)],
                ["the hash key of the table is 'org', not 'org_id'"]
            ),
            (
                [(#",{"AttributeName":"timestamp_id","KeyType":"RANGE"}],"Global"#, #"],"Global"#)],
                ["the table has no range key; it must be 'timestamp_id'"]
            ),
            (
                [(#""timestamp_id","AttributeType":"S""#, #""timestamp_id","AttributeType":"N""#)],
                [
                    "the range key 'timestamp_id' of the table is of type N, not S (string)",
                    "the range key 'timestamp_id' of index 'org_user' is of type N, not S (string)",
                ]
            ),
            (
                [(#""IndexName":"org_user""#, #""IndexName":"user""#)],
                [
                    "it has no global secondary index 'org_user' (hash key org_user_id, range key timestamp_id, all attributes)"
                ]
            ),
            ([(#""ALL""#, #""KEYS_ONLY""#)], ["index 'org_user' projects KEYS_ONLY, not ALL attributes"]),
            (
                [
                    (#""AttributeName":"org_id","KeyType""#, #""AttributeName":"id","KeyType""#),
                    (#""AttributeName":"org_user_id","KeyType""#, #""AttributeName":"user_id","KeyType""#),
                    (#""ALL""#, #""INCLUDE""#),
                ],
                [
                    "the hash key of the table is 'id', not 'org_id'",
                    "the hash key of index 'org_user' is 'user_id', not 'org_user_id'",
                    "index 'org_user' projects INCLUDE, not ALL attributes",
                ]
            ),
        ] as [([(String, String)], [String])]
    )
    func problems(changes: [(String, String)], texts: [String]) async throws {
        let description = changes.reduce(ScriptedTable.description) { $0.replacing($1.0, with: $1.1) }

        let error = await #expect(throws: ConfigurationError.self) { try await open(description) }

        let found = error?.problems ?? []
        #expect(found.allSatisfy { $0.setting == "PULUMI_AUDIT_LOGS_DYNAMO_TABLE" })
        #expect(found.map { $0.text.split(separator: ": ", maxSplits: 1).last.map(String.init) ?? "" } == texts)
        #expect(found.allSatisfy { $0.text.hasPrefix("DynamoDB table audit at 127.0.0.1") })
    }

    @Test(
        "that is still being made, or no longer there, is one to come back for",
        arguments: [
            (#""TableStatus":"ACTIVE""#, #""TableStatus":"CREATING""#, "its status is CREATING"),
            (#""TableStatus":"ACTIVE""#, #""TableStatus":"DELETING""#, "its status is DELETING"),
            (
                #""IndexStatus":"ACTIVE""#, #""IndexStatus":"CREATING""#,
                "the status of its index 'org_user' is CREATING"
            ),
        ]
    )
    func delays(part: String, change: String, text: String) async throws {
        let error = await #expect(throws: ServiceError.self) {
            try await open(ScriptedTable.description.replacing(part, with: change))
        }

        #expect(error?.code == .unavailable)
        #expect(error?.message.hasSuffix("cannot be used yet: \(text)") == true, "\(error?.message ?? "")")
    }

    @Test("is not to be had without an answer, a region or sense", arguments: ["{}", "[]", #"{"Table":[]}"#, ""])
    func nonsense(body: String) async throws {
        let error = await #expect(throws: ServiceError.self) { try await open(body) }

        #expect(error?.code == .unavailable)
    }

    @Test("needs a region")
    func region() async throws {
        let error = await #expect(throws: ConfigurationError.self) {
            _ = try await DynamoAuditTable.open(
                "audit",
                aws: AWSConfiguration(
                    settings: Settings(["AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "HOME": "/nowhere"])
                ),
                client: makeClient(),
                effects: ManualClock().effects
            )
        }

        #expect(error?.problems.map(\.text) == ["has no region: set AWS_REGION"])
    }
}
