import Persistence
import Testing

@Suite("Mistakes in migrations")
struct MigrationChecksTests {
    private static let owners = Table("owners", columns: [Column("id", .id)], primaryKey: ["id"])

    @Test("are found before an engine sees them", arguments: mistakes)
    func found(mistake: Mistake) {
        let problems = Migration.problems(in: [Migration(1, "one", [.createTable(Self.owners)] + mistake.steps)])

        #expect(problems.contains { $0.contains(mistake.problem) }, "\(problems)")
    }

    @Test("are not seen in every kind of correct step")
    func correct() {
        let pets = Table(
            "pets",
            columns: [
                Column("id", .id), Column("owner_id", .id), Column("name", .name(191)), Column("path", .ascii(767)),
                Column("note", .text, nullable: true), Column("is_tame", .bool, default: .integer(1)),
                Column("title", .name(507)),
            ],
            primaryKey: ["id"],
            uniqueKeys: [["owner_id", "name"], ["name", "path"]],
            indexes: [["owner_id"], ["title"]],
            foreignKeys: [ForeignKey(["owner_id"], references: "owners", ["id"])]
        )
        let migrations = [
            Migration(1, "one", [.createTable(Self.owners), .createTable(pets)]),
            Migration(
                2,
                "two",
                [
                    .addColumn(Column("age", .integer, default: .integer(-1)), to: "pets"),
                    .createIndex(["age", "id"], on: "pets"),
                    .dropIndex(["age", "id"], on: "pets"),
                    .dropColumn("age", from: "pets"),
                    .dropIndex(["owner_id"], on: "pets"),
                    .data(["DELETE FROM pets"]),
                    .dropTable("pets"),
                    .createTable(pets),
                ]
            ),
        ]

        #expect(Migration.problems(in: migrations) == [])
    }

    @Test("change the checksum of a migration")
    func checksum() {
        let one = Migration(1, "one", [.createTable(Self.owners), .data(["DELETE FROM owners"])])
        let other = Migration(1, "one", [.createTable(Self.owners), .data(["DELETE FROM owners WHERE 1 = 1"])])
        let renamed = Migration(1, "two", one.steps)

        #expect(one.checksum(ofSteps: 1) == other.checksum(ofSteps: 1))
        #expect(one.checksum(ofSteps: 2) != other.checksum(ofSteps: 2))
        #expect(one.checksum(ofSteps: 2) != renamed.checksum(ofSteps: 2))
    }

    @Test("never come from a checksum that another version computes differently")
    func checksumIsStable() {
        let table = Table(
            "t",
            columns: [
                Column("a", .id), Column("b", .name(3), default: .text("x")), Column("c", .ascii(4)),
                Column("d", .text, nullable: true), Column("e", .bytes), Column("f", .binary(5)), Column("g", .bool),
                Column("h", .integer), Column("i", .timestamp),
            ],
            primaryKey: ["a"],
            uniqueKeys: [["b"]],
            indexes: [["c", .descending("h")]],
            foreignKeys: [ForeignKey(["a"], references: "owners", ["id"])],
            isClustered: true
        )
        let steps: [MigrationStep] = [
            .createTable(table), .addColumn(Column("z", .bool, nullable: true), to: "t"), .createIndex(["z"], on: "t"),
            .createUniqueKey(["h"], on: "t"), .dropIndex(["z"], on: "t"), .dropColumn("z", from: "t"),
            .data(sqlite: ["DELETE FROM t WHERE h = \(1) AND b = \("x")"], mysql: []), .dropTable("t"),
        ]

        #expect(Migration(1, "all", steps).checksum(ofSteps: 8) == "c4a7b3d87080197a")
    }
}

/// Steps with one mistake, behind the table `owners (id)`.
struct Mistake: Sendable, CustomTestStringConvertible {
    let problem: String
    let steps: [MigrationStep]

    var testDescription: String { problem }

    init(_ problem: String, _ steps: [MigrationStep]) {
        self.problem = problem
        self.steps = steps
    }

    init(_ problem: String, columns: [Column], key: [String] = ["id"], unique: [Table.Index] = []) {
        let table = Table("pets", columns: [Column("id", .id)] + columns, primaryKey: key, uniqueKeys: unique)
        self.init(problem, [.createTable(table)])
    }
}

private let mistakes: [Mistake] = [
    Mistake("exists already", [.createTable(Table("owners", columns: [Column("id", .id)], primaryKey: ["id"]))]),
    Mistake("pets.id: exists twice", columns: [Column("id", .integer)]),
    Mistake("has no primary key", columns: [], key: []),
    Mistake("an index names other", columns: [], key: ["other"]),
    Mistake("part of the primary key and nullable", columns: [Column("a", .integer, nullable: true)], key: ["a"]),
    Mistake("Pets: a name is", [.createTable(Table("Pets", columns: [Column("id", .id)], primaryKey: ["id"]))]),
    Mistake("1st: a name is", columns: [Column("1st", .integer)]),
    Mistake("a b: a name is", columns: [Column("a b", .integer)]),
    Mistake(": a name is", columns: [Column("", .integer)]),
    Mistake("groups: is a word", [.createTable(Table("groups", columns: [Column("id", .id)], primaryKey: ["id"]))]),
    Mistake("key: is a word", columns: [Column("key", .name(10))]),
    Mistake("rank: is a word", columns: [Column("rank", .integer)]),
    Mistake("cannot have this default", columns: [Column("note", .text, default: .text(""))]),
    Mistake("cannot have this default", columns: [Column("flag", .bool, default: .integer(2))]),
    Mistake("cannot have this default", columns: [Column("number", .integer, default: .text("1"))]),
    Mistake("not a plain word", columns: [Column("word", .name(10), default: .text("it's"))]),
    Mistake("not a plain word", columns: [Column("word", .ascii(2), default: .text("abc"))]),
    Mistake("the length must be", columns: [Column("word", .name(0))]),
    Mistake("the length must be", columns: [Column("word", .ascii(16_001))]),
    Mistake("has no bound", columns: [Column("note", .text)], unique: [["note"]]),
    Mistake("has no bound", columns: [Column("raw", .bytes)], unique: [["raw"]]),
    Mistake("is too long for a unique key", columns: [Column("path", .name(192))], unique: [["path"]]),
    Mistake("is too long for a unique key", columns: [Column("path", .ascii(768))], key: ["path"]),
    Mistake(
        "can get a key together with its table only",
        [.addColumn(Column("path", .name(192), nullable: true), to: "owners"), .createIndex(["path"], on: "owners")]
    ),
    Mistake("has 3074 bytes", columns: [Column("path", .name(768))], unique: [["path"]]),
    Mistake("a row may have", columns: [Column("a", .name(10_000)), Column("b", .name(10_000))]),
    Mistake(
        "has at most 64 bytes",
        columns: [Column("a", .name(1)), Column(String(repeating: "b", count: 65), .bool)]
    ),
    Mistake(
        "has at most 64 bytes",
        columns: [Column(String(repeating: "a", count: 60), .bool)],
        unique: [[.init(stringLiteral: String(repeating: "a", count: 60))]]
    ),
    Mistake("must be nullable or have a default", [.addColumn(Column("a", .integer), to: "owners")]),
    Mistake("owners.id exists already", [.addColumn(Column("id", .id, nullable: true), to: "owners")]),
    Mistake("cats does not exist", [.addColumn(Column("a", .integer, nullable: true), to: "cats")]),
    Mistake("cats does not exist", [.createIndex(["id"], on: "cats")]),
    Mistake("cats does not exist", [.dropTable("cats")]),
    Mistake("an index names a", [.createUniqueKey(["a"], on: "owners")]),
    Mistake("owners_id exists already", [.createIndex(["id"], on: "owners"), .createUniqueKey(["id"], on: "owners")]),
    Mistake("owners_a does not exist", [.dropIndex(["a"], on: "owners")]),
    Mistake("owners.a does not exist", [.dropColumn("a", from: "owners")]),
    Mistake("is part of a key", [.dropColumn("id", from: "owners")]),
    Mistake("no index begins with", [.createTable(pets(key: ForeignKey(["owner"], references: "owners", ["id"])))]),
    Mistake("cats, which does not exist", [.createTable(pets(key: ForeignKey(["id"], references: "cats", ["id"])))]),
    Mistake("differs from what", [.createTable(pets(key: ForeignKey(["number"], references: "owners", ["id"])))]),
    Mistake("no unique key", [.createTable(pets(key: ForeignKey(["owner"], references: "pets", ["owner"])))]),
    Mistake(
        "pets refers to owners",
        [.createTable(pets(key: ForeignKey(["id"], references: "owners", ["id"]))), .dropTable("owners")]
    ),
    Mistake(
        "is needed by a foreign key",
        [
            .createTable(
                Table(
                    "pets",
                    columns: [Column("id", .id), Column("owner", .id)],
                    primaryKey: ["id"],
                    indexes: [["owner"]],
                    foreignKeys: [ForeignKey(["owner"], references: "owners", ["id"])]
                )
            ),
            .dropIndex(["owner"], on: "pets"),
        ]
    ),
]

private func pets(key: ForeignKey) -> Table {
    Table(
        "pets",
        columns: [Column("id", .id), Column("owner", .id), Column("number", .integer)],
        primaryKey: ["id"],
        indexes: [["number"]],
        foreignKeys: [key]
    )
}
