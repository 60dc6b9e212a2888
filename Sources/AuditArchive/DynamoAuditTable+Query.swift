import Contract
package import Events
package import Kernel

extension DynamoAuditTable {
    /// Which events somebody wants to see, newest first.
    package struct Query: Sendable {
        package var scope: AuditEvent.Scope
        /// Only what this person did.
        package var user: UserID?
        /// Only what was done of this kind.
        package var action: AuditAction?
        /// Not before.
        package var from: Timestamp?
        /// Before.
        package var until: Timestamp?
        /// At most so many, 1 or more.
        package var limit: Int
        /// `next` of the page before.
        package var continuation: String?

        package init(
            _ scope: AuditEvent.Scope,
            user: UserID? = nil,
            action: AuditAction? = nil,
            from: Timestamp? = nil,
            until: Timestamp? = nil,
            limit: Int = 100,
            continuation: String? = nil
        ) {
            self.scope = scope
            self.user = user
            self.action = action
            self.from = from
            self.until = until
            self.limit = limit
            self.continuation = continuation
        }
    }

    /// Some of the events, newest first.
    package struct Page: Sendable, Equatable {
        package var items: [AuditItem] = []
        /// How many items in between this server did not write, or somebody changed beyond recognition.
        package var unreadable = 0
        /// Where the next page begins; nil when there is none.
        package var next: String?
    }

    /// What the service looks at in one go for those of one kind, which it finds no other way.
    private static let searched = 500

    /// Reads one page, of which the service may give less at a time than is asked for.
    ///
    /// - Throws: `ServiceError`: `.invalidArgument` for a continuation that belongs elsewhere, and `.unavailable`.
    package func page(_ query: Query) async throws -> Page {
        var page = Page()
        if let from = query.from, let until = query.until, from >= until { return page }
        var start = query.continuation
        if let start, !query.contains(start) {
            throw ServiceError.invalid("continuationToken", "is none of this list")
        }
        let limit = max(1, query.limit)
        repeat {
            let wanted = limit - page.items.count
            let seen = query.action == nil ? wanted : max(wanted, Self.searched)
            let request = Request(query: query, start: start, limit: seen, isAscending: false)
            let (items, last) = try await pieces(request)
            for item in items {
                if let item { page.items.append(item) } else { page.unreadable += 1 }
            }
            start = last
        } while start != nil && page.items.count < limit
        if page.items.count > limit {
            page.items.removeLast(page.items.count - limit)
            start = page.items.last?.key
        }
        page.next = start
        return page
    }

    /// What one request asks for.
    struct Request {
        let query: Query
        /// The range key behind which it begins.
        let start: String?
        let limit: Int?
        let isAscending: Bool
    }

    /// Items as one answer has them, nil for what cannot be read, and the range key behind which the next begins.
    func pieces(_ request: Request) async throws -> (items: [AuditItem?], last: String?) {
        let answer = try await call("Query", json(request), .background)
        guard case .array? = answer["Items"] else {
            throw ServiceError.unavailable("\(description) answers dynamodb:Query without items")
        }
        let items = answer.objects("Items").map { object in
            // Of another partition it would be no answer to what was asked.
            AuditItem(object).flatMap { $0.event.scope == request.query.scope ? $0 : nil }
        }
        guard let last = answer.object("LastEvaluatedKey") else { return (items, nil) }
        guard let key = last.object(DynamoTableShape.rangeKey)?.text("S"), key != request.start else {
            throw ServiceError.unavailable("\(description) answers dynamodb:Query without a place to go on")
        }
        return (items, key)
    }

    private func json(_ request: Request) -> JSONWriter {
        let query = request.query
        let partition =
            if let user = query.user {
                (name: DynamoTableShape.indexHashKey, value: AuditItem.userKey(query.scope, user))
            } else {
                (name: DynamoTableShape.hashKey, value: query.scope.key)
            }
        // A time alone sorts before every key of that time.
        var values = [(":partition", partition.value)]
        if let from = query.from { values.append((":from", AuditItem.text(of: from))) }
        if let until = query.until { values.append((":until", AuditItem.text(of: until))) }
        if let action = query.action { values.append((":action", action.slug)) }
        let range = DynamoTableShape.rangeKey
        let condition =
            switch (query.from, query.until) {
            case (nil, nil): ""
            case (_, nil): " AND \(range) >= :from"
            case (nil, _): " AND \(range) < :until"
            case (_, _): " AND \(range) BETWEEN :from AND :until"
            }
        var json = JSONWriter()
        json.beginObject()
        json.field("TableName", string: table)
        if query.user != nil { json.field("IndexName", string: DynamoTableShape.index) }
        json.field("KeyConditionExpression", string: "\(partition.name) = :partition\(condition)")
        if query.action != nil {
            // The name is one of DynamoDB's own words.
            json.field("FilterExpression", string: "#action = :action")
            json.name("ExpressionAttributeNames")
            json.beginObject()
            json.field("#action", string: "action")
            json.endObject()
        }
        json.name("ExpressionAttributeValues")
        json.attributes(values)
        json.field("ScanIndexForward", bool: request.isAscending)
        json.field("Limit", integer: request.limit)
        // An index is never asked so: it would refuse.
        if query.user == nil, request.isAscending { json.field("ConsistentRead", bool: true) }
        if let start = request.start {
            var key = [(DynamoTableShape.hashKey, query.scope.key), (range, start)]
            if query.user != nil { key.append((partition.name, partition.value)) }
            json.name("ExclusiveStartKey")
            json.attributes(key)
        }
        json.endObject()
        return json
    }
}

extension DynamoAuditTable.Query {
    /// Whether a continuation is a key within the range: the service refuses any other.
    fileprivate func contains(_ continuation: String) -> Bool {
        guard let time = AuditItem.parse(key: continuation)?.time else { return false }
        if let from, time < from { return false }
        if let until, time >= until { return false }
        return true
    }
}
