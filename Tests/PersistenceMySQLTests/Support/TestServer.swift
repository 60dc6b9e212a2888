import Foundation
import Kernel
import Persistence
import PersistenceMySQL
import Testing

/// A database server that `./dev services start` has started.
enum TestServer: String, CaseIterable, CustomTestStringConvertible {
    case mariadb
    case mysql

    /// An account of the server.
    enum Account: String {
        /// What the service is: every right on its own databases, none on the server.
        case service = ""
        case administrator = "_ADMIN"
        case nastyPassword = "_NASTY"
        case emptyPassword = "_EMPTY"
    }

    var testDescription: String { self == .mariadb ? "MariaDB" : "MySQL" }

    private var variable: String { "CAIRN_TEST_\(rawValue.uppercased())" }

    /// How to reach the server; without one the test is skipped, or fails where servers are required.
    func configuration(
        _ account: Account = .service,
        database: String = "information_schema",
        limits: MySQLConfiguration.Limits = .patient
    ) throws -> MySQLConfiguration {
        let name = variable + account.rawValue
        guard let text = ProcessInfo.processInfo.environment[name], !text.isEmpty else {
            try Self.skip("\(name) is not set: start the servers with ./dev services start")
        }
        var configuration = try MySQLConfiguration(testURL: text, database: database)
        configuration.limits = limits
        return configuration
    }

    static func skip(_ reason: Comment) throws -> Never {
        if ProcessInfo.processInfo.environment["CAIRN_REQUIRE_ENGINES"] == "1" { throw MissingServer() }
        #if compiler(>=6.3)
            try Test.cancel(reason)
        #else
            throw MissingServer()
        #endif
    }

    struct MissingServer: Error {}
}

/// The certificates that the scripts made.
enum TestCertificates {
    static func authority(named name: String = "ca") throws -> String {
        guard let scripts = ProcessInfo.processInfo.environment["CAIRN_TEST_SERVICES"] else {
            try TestServer.skip("CAIRN_TEST_SERVICES is not set: start the servers with ./dev services start")
        }
        let path = "\(scripts)/../../.services/tls/\(name).pem"
        return try String(contentsOfFile: path, encoding: .utf8)
    }
}

extension MySQLConfiguration {
    /// Reads a URL as the scripts write it: `mysql://user:password@host:port/?ca=path`.
    init(testURL text: String, database: String) throws {
        let url = try #require(URLComponents(string: text))
        let path = try #require(url.queryItems?.first { $0.name == "ca" }?.value)
        self.init(
            endpoint: MySQLEndpoint(host: try #require(url.host), port: try #require(url.port)),
            database: database,
            user: try #require(url.user),
            password: Redacted(url.password ?? ""),
            tls: try TLS(
                certificateAuthority: String(contentsOfFile: path, encoding: .utf8),
                minimumVersion: .v12
            )
        )
    }
}

/// Runs `body` with an empty database of its own and a driver for it.
func withDriver<T>(
    _ server: TestServer,
    limits: MySQLConfiguration.Limits = .patient,
    change: (inout MySQLConfiguration) -> Void = { _ in },
    _ body: (MySQLDriver) async throws -> T
) async throws -> T {
    // The limits are the test's own: the database is created under a lock that all tests share, and may wait for it.
    try await withDriver(
        server.configuration(),
        change: { configuration in
            configuration.limits = limits
            change(&configuration)
        },
        body
    )
}

/// The same on any server.
func withDriver<T>(
    _ configuration: MySQLConfiguration,
    change: (inout MySQLConfiguration) -> Void = { _ in },
    _ body: (MySQLDriver) async throws -> T
) async throws -> T {
    let name = "cairn_driver_\(String(UInt64.random(in: 0 ... .max), radix: 36))"
    let outside = try MySQLDriver(configuration)
    try await outside.run("CREATE DATABASE \(name) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
    var inside = configuration
    inside.database = name
    change(&inside)
    let driver = try MySQLDriver(inside)
    let result: Result<T, any Error>
    do {
        result = .success(try await body(driver))
    } catch {
        result = .failure(error)
    }
    await driver.close()
    // A test may have ended its server.
    try? await outside.run("DROP DATABASE \(name)")
    await outside.close()
    return try result.get()
}

extension MySQLDriver {
    /// Runs one statement that is no part of a transaction.
    func run(_ text: String) async throws {
        try await migrate { session in
            try session.execute(SQL(stringLiteral: text))
        }
    }

    /// A table of texts with a unique name.
    func createItems() async throws {
        try await run(
            """
            CREATE TABLE items (
                id BIGINT PRIMARY KEY, name VARCHAR(100) NOT NULL, value LONGTEXT, data LONGBLOB, UNIQUE KEY by_name (name)
            ) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin
            """
        )
    }

    func count(_ table: StaticString = "items") async throws -> Int {
        try await read { tx in try tx.count(SQL(stringLiteral: "SELECT COUNT(*) FROM \(table)")) }
    }
}

/// Runs `body` and gives the error that it threw.
func failure<T>(of body: () async throws -> T, sourceLocation: SourceLocation = #_sourceLocation) async -> (any Error)?
{
    do {
        _ = try await body()
        Issue.record("nothing was thrown", sourceLocation: sourceLocation)
        return nil
    } catch {
        return error
    }
}

/// Polls until a condition holds.
func eventually(
    within deadline: Duration = .seconds(60),
    _ what: Comment,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + deadline
    while try await !condition() {
        guard ContinuousClock.now < end else {
            Issue.record("did not happen within \(deadline): \(what)", sourceLocation: sourceLocation)
            return
        }
        try await Task.sleep(for: .milliseconds(20))
    }
}

extension DatabaseError {
    var isUnavailable: Bool { if case .unavailable = self { true } else { false } }
    var isRetryable: Bool { if case .retryable = self { true } else { false } }
    var isUnknownCommit: Bool { if case .unknownCommit = self { true } else { false } }
}

/// A value that several closures change.
final class Shared<Value: Sendable>: Sendable {
    private let value: Locked<Value>

    init(_ value: Value) {
        self.value = Locked(value)
    }

    func withLock<T: Sendable>(_ body: (inout sending Value) -> sending T) -> T {
        value.withLock(body)
    }
}
