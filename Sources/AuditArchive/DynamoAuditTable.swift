package import CloudAccess
import Contract
import Crypto
import Events
package import Kernel
package import OutboundHTTP

/// A table of DynamoDB that keeps events of the audit log (`spec/self-hosting.md` §2.9).
///
/// | attribute | holds |
/// |---|---|
/// | `org_id` | hash key: the organization's id, or `server` |
/// | `timestamp_id` | range key: `2026-11-25T13:10:18.000250Z#` and the event's id |
/// | `org_user_id` | hash key of the index `org_user`: both ids with `#` between them; only where a person acted |
/// | `sequence`, `hash`, `previous_hash` | place in the organization's chain, and the links, as hexadecimal text |
/// | `action`, `subject`, `details` | what was done to what; details are a JSON list of pairs |
/// | `actor_kind`, `actor_login`, `user_id`, `token_id`, `source_address` | who did it and from where |
/// | `cut` | `subject`, `details` or both, where one was too long for an item |
///
/// All are strings, and what has no value is left out. Writing an event again changes nothing.
package struct DynamoAuditTable: Sendable {
    let service: DynamoDB
    let table: String
    /// For people: `DynamoDB table audit at dynamodb.eu-west-1.amazonaws.com`.
    package let description: String

    private init(_ service: DynamoDB, table: String) {
        self.service = service
        self.table = table
        description = "DynamoDB table \(table) at \(service.place)"
    }

    /// Finds the table and looks at its shape.
    ///
    /// - Throws: `ConfigurationError` with everything that is wrong with its shape, `ServiceError` with `.unavailable` when
    ///   it cannot be used now.
    package static func open(
        _ name: String,
        aws: AWSConfiguration,
        client: ServiceClient,
        effects: Effects,
        clock: any Clock<Duration> = ContinuousClock()
    ) async throws -> DynamoAuditTable {
        let access = try AWSAccess(aws)
        guard let region = access.region else {
            throw problem(["has no region: set AWS_REGION"])
        }
        let service = DynamoDB(
            aws,
            region: region,
            credentials: access.source(client: client, effects: effects),
            client: client,
            effects: effects,
            clock: clock
        )
        let table = DynamoAuditTable(service, table: name)
        _ = try await table.identity(patience: .start)
        return table
    }

    /// What tells the table from one that is made under its name later, as 64 ASCII characters; looks at its shape.
    func identity(patience: DynamoDB.Patience = .background) async throws -> String {
        var json = JSONWriter()
        json.beginObject()
        json.field("TableName", string: table)
        json.endObject()
        let answer = try await call("DescribeTable", json, patience)
        guard let shape = DynamoTableShape(answer) else {
            throw ServiceError.unavailable("\(description) answers dynamodb:DescribeTable without a table")
        }
        guard shape.problems.isEmpty else { throw Self.problem(shape.problems.map { "\(description): \($0)" }) }
        if let delay = shape.delay { throw ServiceError.unavailable("\(description) cannot be used yet: \(delay)") }
        return SHA256.hash(shape.identity).hex
    }

    private static func problem(_ texts: [String]) -> ConfigurationError {
        ConfigurationError(texts.map { .init(setting: AuditArchiveConfiguration.setting, text: $0) })
    }

    // MARK: - Writing

    /// What one request may hold: the service takes 25 items and 16 MB, and a slow line must get it there in time.
    static let mostItems = 25
    static let mostBytes = 1 << 20

    /// Parts of items that fit into requests.
    static func batches(_ items: [AuditItem]) -> [[AuditItem]] {
        var batches: [[AuditItem]] = []
        var bytes = 0
        for item in items {
            let size = item.size
            if let count = batches.last?.count, count < mostItems, bytes + size <= mostBytes {
                batches[batches.count - 1].append(item)
                bytes += size
            } else {
                batches.append([item])
                bytes = size
            }
        }
        return batches
    }

    /// Writes the items of one batch; what the service leaves unprocessed is sent again with growing pauses.
    ///
    /// - Returns: how many of the first items are there for certain: all, unless the service has too much to do.
    func write(_ items: [AuditItem]) async throws -> Int {
        var waiting = Dictionary(items.map { ($0.key, $0) }) { first, _ in first }
        var pauses = service.pauses(.background)
        while true {
            do {
                // In the order of the chain, so that what is left over is its end.
                let batch = waiting.values.sorted { $0.event.sequence < $1.event.sequence }
                waiting = try await send(batch, waiting)
            } catch let error as ServiceError where error.refusal?.isThrottle == true && waiting.count < items.count {
                break
            }
            if waiting.isEmpty { return items.count }
            guard try await pauses.wait() else { break }
        }
        return items.firstIndex { waiting[$0.key] != nil } ?? items.count
    }

    /// - Returns: those that were not processed.
    private func send(_ items: [AuditItem], _ waiting: [String: AuditItem]) async throws -> [String: AuditItem] {
        var json = JSONWriter(reserving: items.reduce(1024) { $0 + $1.size * 2 })
        json.beginObject()
        json.name("RequestItems")
        json.beginObject()
        json.name(table)
        json.beginArray()
        for item in items {
            json.beginObject()
            json.name("PutRequest")
            json.beginObject()
            json.name("Item")
            json.attributes(item.attributes)
            json.endObject()
            json.endObject()
        }
        json.endArray()
        json.endObject()
        json.endObject()
        let answer = try await call("BatchWriteItem", json, .background)
        guard let unprocessed = answer.object("UnprocessedItems") else {
            throw ServiceError.unavailable("\(description) answers dynamodb:BatchWriteItem without UnprocessedItems")
        }
        // One table was asked to take something; it may be named by its ARN.
        let requests = unprocessed.members.flatMap { unprocessed.objects($0.name) }
        var left: [String: AuditItem] = [:]
        for request in requests {
            let item = request.object("PutRequest")?.object("Item")
            guard let key = item?.object(DynamoTableShape.rangeKey)?.text("S"), let known = waiting[key] else {
                throw ServiceError.unavailable("\(description) has not processed an item that it was not given")
            }
            left[key] = known
        }
        return left
    }

    // MARK: - Asking

    func call(_ action: String, _ json: JSONWriter, _ patience: DynamoDB.Patience) async throws -> JSONObject {
        do {
            return try await service.call(action, try json.finish(), patience: patience)
        } catch let refusal as AWSRefusal {
            throw ServiceError.dynamo(refusal, action, description)
        }
    }
}

extension JSONWriter {
    /// Strings as DynamoDB writes them: `{"name":{"S":"value"}}`.
    mutating func attributes(_ attributes: [(name: String, value: String)]) {
        beginObject()
        for (name, value) in attributes {
            self.name(name)
            beginObject()
            field("S", string: value)
            endObject()
        }
        endObject()
    }
}
