import AuditArchive
import CloudAccess
import Contract
import Crypto
import Events
import Foundation
import Jobs
import Kernel
import OutboundHTTP
import Persistence
import ServiceTestKit
import Telemetry
import TestKit
import Testing
import Transfers

/// A database with an audit log in it, a clock that the test moves, and the job that copies.
struct ArchiveBench: Sendable {
    let database: Database
    let clock = ManualClock()
    let log = LogRecorder()
    let scope: AuditEvent.Scope
    let user: UserID

    init(database: Database) {
        self.database = database
        scope = .organization(clock.effects.id())
        user = clock.effects.id()
    }

    var person: Actor {
        Actor(kind: .user, userID: user, login: "dev", tokenID: clock.effects.id(), sourceAddress: "192.0.2.7")
    }

    /// Appends events a second apart, each in a transaction of its own.
    func append(
        _ count: Int,
        _ action: AuditAction = .stackCreated,
        in scope: AuditEvent.Scope? = nil,
        by actor: Actor? = nil,
        subject: String = "acme/site/dev",
        details: [AuditEvent.Detail] = [AuditEvent.Detail("from", "a=b\n\"ä\""), AuditEvent.Detail("from", "")]
    ) async throws {
        let log = AuditLog(effects: clock.effects)
        let actor = actor ?? person
        for _ in 0..<count {
            clock.advance(by: .seconds(1))
            let now = clock.now
            try await database.write { [own = self.scope] tx in
                try log.append(
                    action,
                    on: subject,
                    in: scope ?? own,
                    by: actor,
                    at: now,
                    details: details,
                    tx: tx
                )
            }
        }
    }

    /// The events of a chain in its order.
    func events(of scope: AuditEvent.Scope? = nil) async throws -> [AuditRecord] {
        let start = AuditCopies.Mark(scope ?? self.scope, sequence: 0, hash: Array(repeating: 0, count: 32))
        return try await database.read { tx in try AuditCopies().events(behind: start, limit: 100_000, in: tx) }
    }

    /// Opens a table, whose pauses take no time.
    func open(_ name: String, at url: String) async throws -> DynamoAuditTable {
        try await DynamoAuditTable.open(
            name,
            aws: AWSConfiguration(settings: Settings(settings(at: url))),
            client: makeClient(),
            effects: clock.effects,
            clock: InstantClock()
        )
    }

    private func settings(at url: String) -> [String: String] {
        [
            "AWS_ENDPOINT_URL_DYNAMODB": url, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "cairn",
            "AWS_SECRET_ACCESS_KEY": "secret",
        ]
    }

    /// A process of the installation; the schedule is in the database already when it is not the first.
    func runner(_ table: DynamoAuditTable, on other: Database? = nil) async throws -> JobRunner {
        let queue = JobQueue(effects: clock.effects)
        try await database.write { tx in try AuditArchive.schedule(with: queue, in: tx) }
        return runner(
            AuditArchive(table).job(
                database: other ?? database,
                effects: clock.effects,
                metrics: MetricsRegistry()
            )
        )
    }

    func runner(_ kind: JobRunner.Kind) -> JobRunner {
        JobRunner(
            database: database,
            effects: clock.effects,
            clock: SleepClock(),
            kinds: [kind],
            log: Logger(to: log, minimum: .debug, now: clock.effects.now)
        )
    }

    /// Runs what is due now until nothing is.
    func settle(_ runner: JobRunner) async throws {
        while try await runner.runDue() > 0 {}
    }

    /// The same once in a minute until `marks` say so, or for an hour.
    ///
    /// How long one run waits depends on chance and on the machine; what it leaves over, the next ones bring.
    func settle(_ runner: JobRunner, until wanted: [Int]) async throws {
        for _ in 0..<60 where try await marks() != wanted {
            try await settle(runner)
            clock.advance(by: .seconds(60))
        }
    }

    /// What the last failure of the job was.
    func lastError() async throws -> String? {
        try await database.read { tx in
            try tx.first("SELECT last_error FROM jobs WHERE kind = 'audit.copy'") { row in
                try row.optional(0, Row.text)
            } ?? nil
        }
    }

    /// How many events of each chain the mark says are copied.
    func marks() async throws -> [Int] {
        try await database.read { tx in
            try tx.all("SELECT sequence FROM audit_copies ORDER BY scope") { try $0.int(0) }
        }
    }
}

func withArchive(_ engine: Engine, _ body: (ArchiveBench) async throws -> Void) async throws {
    try await withTestDatabase(engine) { database in try await body(ArchiveBench(database: database)) }
}

/// A clock on which every sleep has passed at once.
struct InstantClock: Clock {
    typealias Instant = ContinuousClock.Instant

    var now: Instant { .now }
    var minimumResolution: Duration { .zero }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
    }
}

// MARK: - moto

let motoURL = ProcessInfo.processInfo.environment["CAIRN_TEST_MOTO"]
let motoIsOff: Comment = "CAIRN_TEST_MOTO is not set: start it with ./dev services start"

/// The service as whoever has the account uses it.
struct Account: Sendable {
    let url: String

    init() throws {
        url = try #require(motoURL)
    }

    @discardableResult
    func call(_ action: String, _ body: String) async throws -> JSONObject {
        let request = AWSRequest(
            "POST",
            scheme: "http",
            host: url.replacing("http://", with: ""),
            headers: [("Content-Type", "application/x-amz-json-1.0"), ("X-Amz-Target", "DynamoDB_20120810.\(action)")],
            body: Array(body.utf8)
        )
        let credentials = AWSCredentials(accessKeyID: "cairn", secretAccessKey: Redacted("secret"))
        let signer = AWSSigner(region: "eu-west-1", service: "dynamodb")
        let now = Timestamp(seconds: Int64(Date().timeIntervalSince1970))
        let response = try await Transfers().perform(signer.sign(request, with: credentials, at: now).patient)
        let text = String(decoding: response.body, as: UTF8.self)
        try #require(response.status == 200, "\(text)")
        guard case .object(let object) = try JSONValue.parse(response.body) else { return JSONObject([]) }
        return object
    }

    /// Makes a table; with the right shape unless told otherwise.
    func makeTable(_ shape: String = Self.shape, name: String? = nil) async throws -> String {
        let name = name ?? "audit-\(Hex.encode(Random.bytes(6)))"
        try await call("CreateTable", #"{"TableName":"\#(name)","BillingMode":"PAY_PER_REQUEST",\#(shape)}"#)
        return name
    }

    static let keys =
        #""KeySchema":[{"AttributeName":"org_id","KeyType":"HASH"},{"AttributeName":"timestamp_id","KeyType":"RANGE"}]"#
    static let shape = """
        "AttributeDefinitions":[{"AttributeName":"org_id","AttributeType":"S"},\
        {"AttributeName":"timestamp_id","AttributeType":"S"},{"AttributeName":"org_user_id","AttributeType":"S"}],\
        \(keys),"GlobalSecondaryIndexes":[\(index("org_user_id", "timestamp_id", "ALL"))]
        """

    static func index(_ hash: String, _ range: String, _ projection: String, name: String = "org_user") -> String {
        """
        {"IndexName":"\(name)","KeySchema":[{"AttributeName":"\(hash)","KeyType":"HASH"},\
        {"AttributeName":"\(range)","KeyType":"RANGE"}],"Projection":{"ProjectionType":"\(projection)"}}
        """
    }

    /// The keys of every item, in the order of the table.
    func keys(in table: String, of scope: AuditEvent.Scope) async throws -> [String] {
        let answer = try await call(
            "Query",
            """
            {"TableName":"\(table)","KeyConditionExpression":"org_id = :o",\
            "ExpressionAttributeValues":{":o":{"S":"\(scope.key)"}}}
            """
        )
        guard case .array(let items)? = answer["Items"] else { return [] }
        return items.compactMap { item in
            guard case .object(let item) = item, case .object(let key)? = item["timestamp_id"],
                case .string(let text)? = key["S"]
            else { return nil }
            return text
        }
    }
}
