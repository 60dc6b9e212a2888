import Foundation
import Kernel
import Persistence
import TestKit
import Testing

@Suite("TestKit")
struct TestKitTests {
    @Test("stands still, moves when it is told to, and gives the same bytes for the same seed")
    func clock() {
        let clock = ManualClock(seed: 5)
        let start = clock.effects.now()

        clock.advance(by: .seconds(90))
        let bytes = clock.effects.randomBytes(20)

        #expect(clock.effects.now().since(start) == .seconds(90))
        #expect(bytes.count == 20)
        #expect(bytes == ManualClock(seed: 5).effects.randomBytes(20))
        #expect(bytes != ManualClock(seed: 6).effects.randomBytes(20))
        #expect(clock.effects.randomBytes(20) != bytes)
    }

    @Test("gives each test a database of its own with the migrations it asks for")
    func databases() async throws {
        let migrations = SQLiteFixture.migrations
        for _ in 0..<3 {
            let counts = try await withTestDatabase(.sqlite, migrations: migrations) { database in
                let before = try await database.read { try $0.count("SELECT COUNT(*) FROM items") }
                let after = try await withTestDatabase(.sqlite, migrations: migrations) { other in
                    try await database.write { try $0.insert(into: "items", ["id": 1, "value": [] as [UInt8]]) }
                    return try await other.read { try $0.count("SELECT COUNT(*) FROM items") }
                }
                return [before, after]
            }

            #expect(counts == [0, 0])
        }
    }

    @Test("brings databases to the program's schema by itself", arguments: Engine.available)
    func schema(engine: Engine) async throws {
        try await withTestDatabase(engine) { database in
            let count = try await database.read { try $0.count("SELECT COUNT(*) FROM cairn_migrations") }

            #expect(count > 0)
        }
    }

    @Test("removes what a failed test leaves")
    func cleansUp() async throws {
        var path = ""

        await #expect(throws: Planned.self) {
            try await TestFolder.with { folder in
                path = folder
                throw Planned()
            }
        }

        #expect(!path.isEmpty && !FileManager.default.fileExists(atPath: path))
    }

    @Test("names the engines that are missing", arguments: Engine.allCases)
    func missingEngines(engine: Engine) async throws {
        try await withTestDatabase(engine, migrations: []) { database in
            #expect(database.dialect == engine.dialect)
        }
    }

    @Test(
        "reads the address of a server",
        arguments: [
            (
                "mysql://cairn:p%40ss%2F@127.0.0.1:13306/?ca=%2Ftmp%2Fca%20file.pem",
                MySQLTestServer(
                    host: "127.0.0.1",
                    port: 13_306,
                    user: "cairn",
                    password: "p@ss/",
                    certificateAuthority: "/tmp/ca file.pem"
                )
            ),
            (
                "mysql://root@db.example",
                MySQLTestServer(host: "db.example", port: 3306, user: "root", password: "", certificateAuthority: nil)
            ),
        ]
    )
    func address(text: String, server: MySQLTestServer) throws {
        #expect(try MySQLTestServer(url: text) == server)
    }

    @Test("refuses other addresses", arguments: ["", "127.0.0.1", "postgres://a@b", "mysql://", "mysql://host"])
    func wrongAddress(text: String) {
        #expect(throws: EngineMissing.self) { try MySQLTestServer(url: text) }
    }
}
