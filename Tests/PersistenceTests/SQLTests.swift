import Kernel
import Persistence
import Testing

@Suite("SQL")
struct SQLTests {
    @Test("turns interpolated values into parameters")
    func values() {
        let id = ID<SQLTests>(at: Timestamp(seconds: 1), random: Array(repeating: 7, count: 10))
        let missing: String? = nil

        let sql: SQL = """
            SELECT \(1), \(Int64.min), \("x'; --"), \([1, 2] as [UInt8]), \(true), \(missing), \(Timestamp(seconds: 2)), \(id)
            """

        #expect(sql.text == "SELECT ?, ?, ?, ?, ?, ?, ?, ?")
        #expect(
            sql.parameters == [
                .integer(1), .integer(.min), .text("x'; --"), .bytes([1, 2]), .integer(1), .null, .integer(2_000_000),
                .text(id.description),
            ]
        )
    }

    @Test("turns interpolated SQL into text, with its parameters in place")
    func parts() {
        let columns: SQL = "id, name"
        let condition: SQL = "name = \("b") AND id > \(2)"

        var sql: SQL = "SELECT \(columns) FROM t WHERE \(1) = 1 AND \(condition)"
        sql += " LIMIT \(3)"

        #expect(sql.text == "SELECT id, name FROM t WHERE ? = 1 AND name = ? AND id > ? LIMIT ?")
        #expect(sql.parameters == [.integer(1), .text("b"), .integer(2), .integer(3)])
    }

    @Test("joins parts")
    func joins() {
        let parts: [SQL] = ["a = \(1)", "b = \(2)"]

        #expect(SQL.joined(parts, by: " AND ") == "a = \(1) AND b = \(2)")
        #expect(SQL.joined([], by: " AND ") == "")
    }

    @Test("writes lists with one place for each element, and an empty one that matches nothing")
    func lists() {
        let sql: SQL = "SELECT 1 WHERE a IN \(list: ["x", "y"]) AND b IN \(list: [] as [Int])"

        #expect(sql.text == "SELECT 1 WHERE a IN (?, ?) AND b IN (NULL)")
        #expect(sql.parameters == [.text("x"), .text("y")])
    }

    @Test("takes names that are only known at run time")
    func identifiers() {
        let sql: SQL = "DROP TABLE \(SQL(identifier: "cairn_1"))"

        #expect(sql == "DROP TABLE cairn_1")
    }

    @Test(
        "takes no other text as a name",
        arguments: ["", "a b", "a;b", "ä", "`a`", "a\"", String(repeating: "a", count: 65)]
    )
    func identifiersAreNames(name: String) async {
        await #expect(processExitsWith: .failure) { [name] in
            _ = SQL(identifier: name)
        }
    }
}

@Suite("SQL that differs between engines")
struct SQLRenderingTests {
    @Test("inserts a row")
    func insert() {
        let sql = SQLRendering.insert(into: "t", ["a": 1, "b": "x", "c": String?.none])

        #expect(sql.text == "INSERT INTO t (a, b, c) VALUES (?, ?, ?)")
        #expect(sql.parameters == [.integer(1), .text("x"), .null])
    }

    @Test(
        "inserts a row or sets its columns",
        arguments: [
            (
                Dialect.sqlite,
                "INSERT INTO t (k, l, v, w) VALUES (?, ?, ?, ?)"
                    + " ON CONFLICT (k, l) DO UPDATE SET v = excluded.v, w = excluded.w"
            ),
            (
                Dialect.mysql,
                "INSERT INTO t (k, l, v, w) VALUES (?, ?, ?, ?)"
                    + " ON DUPLICATE KEY UPDATE v = VALUES(v), w = VALUES(w)"
            ),
        ]
    )
    func upsert(dialect: Dialect, text: String) {
        let sql = SQLRendering.upsert(into: "t", key: ["k": 1, "l": 2], set: ["v": 3, "w": 4], dialect: dialect)

        #expect(sql.text == text)
        #expect(sql.parameters == [.integer(1), .integer(2), .integer(3), .integer(4)])
    }

    @Test("locks rows and looks for text")
    func others() {
        let lock = SQLRendering.lock("t", where: "a = \(1)")
        let contains = SQLRendering.contains("body", "50%")

        #expect(lock == "SELECT 1 FROM t WHERE a = \(1) FOR UPDATE")
        #expect(contains == "instr(body, \("50%")) > 0")
    }
}
