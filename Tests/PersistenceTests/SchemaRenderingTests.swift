import Persistence
import Testing

@Suite("Schema rendering")
struct SchemaRenderingTests {
    private let migrations = [
        Migration(
            1,
            "owners",
            [
                .createTable(
                    Table(
                        "owners",
                        columns: [
                            Column("id", .id), Column("login", .name(100)), Column("code", .ascii(8), nullable: true),
                        ],
                        primaryKey: ["id"],
                        uniqueKeys: [["login"]]
                    )
                )
            ]
        ),
        Migration(
            2,
            "pets",
            [
                .createTable(
                    Table(
                        "pets",
                        columns: [
                            Column("owner_id", .id), Column("number", .integer), Column("note", .text, nullable: true),
                            Column("picture", .bytes), Column("digest", .binary(32)),
                            Column("is_tame", .bool, default: .integer(0)), Column("born_at", .timestamp),
                            Column("breed", .name(200)), Column("chip", .ascii(800)),
                        ],
                        primaryKey: ["owner_id", "number"],
                        indexes: [["owner_id", .descending("born_at")], ["digest"], ["breed", .descending("chip")]],
                        foreignKeys: [ForeignKey(["owner_id"], references: "owners", ["id"])],
                        isClustered: true
                    )
                ),
                .addColumn(Column("kind", .ascii(20), default: .text("cat")), to: "pets"),
                .dropIndex(["digest"], on: "pets"),
                .data(["UPDATE pets SET number = 1"]),
            ]
        ),
    ]

    @Test("gives SQLite strict tables, lengths as checks and unique keys that can be dropped")
    func sqlite() throws {
        let text = try SchemaDump.text(of: migrations, dialect: .sqlite)

        #expect(
            text == """
                -- Written from the migrations up to 2 for sqlite; do not edit.

                CREATE TABLE owners (
                    id TEXT NOT NULL,
                    login TEXT NOT NULL CHECK (length(login) <= 100),
                    code TEXT CHECK (length(code) <= 8),
                    PRIMARY KEY (id)
                ) STRICT;
                CREATE UNIQUE INDEX owners_login ON owners (login);

                CREATE TABLE pets (
                    owner_id TEXT NOT NULL,
                    number INTEGER NOT NULL,
                    note TEXT,
                    picture BLOB NOT NULL,
                    digest BLOB NOT NULL CHECK (length(digest) <= 32),
                    is_tame INTEGER NOT NULL DEFAULT 0,
                    born_at INTEGER NOT NULL,
                    breed TEXT NOT NULL CHECK (length(breed) <= 200),
                    chip TEXT NOT NULL CHECK (length(chip) <= 800),
                    kind TEXT NOT NULL DEFAULT 'cat' CHECK (length(kind) <= 20),
                    PRIMARY KEY (owner_id, number),
                    CONSTRAINT pets_fk_owner_id FOREIGN KEY (owner_id) REFERENCES owners (id)
                ) STRICT, WITHOUT ROWID;
                CREATE INDEX pets_owner_id_born_at ON pets (owner_id, born_at DESC);
                CREATE INDEX pets_breed_chip ON pets (breed, chip DESC);

                """
        )
    }

    @Test("gives MySQL tables that compare bytes, whatever the server's defaults are")
    func mysql() throws {
        let text = try SchemaDump.text(of: migrations, dialect: .mysql)

        #expect(
            text == """
                -- Written from the migrations up to 2 for mysql; do not edit.

                CREATE TABLE owners (
                    id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
                    login VARCHAR(100) NOT NULL,
                    code VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin,
                    PRIMARY KEY (id),
                    UNIQUE KEY owners_login (login)
                ) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

                CREATE TABLE pets (
                    owner_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
                    number BIGINT NOT NULL,
                    note LONGTEXT,
                    picture LONGBLOB NOT NULL,
                    digest VARBINARY(32) NOT NULL,
                    is_tame TINYINT NOT NULL DEFAULT 0,
                    born_at BIGINT NOT NULL,
                    breed VARCHAR(200) NOT NULL,
                    chip VARCHAR(800) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
                    kind VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'cat',
                    PRIMARY KEY (owner_id, number),
                    KEY pets_owner_id_born_at (owner_id, born_at DESC),
                    KEY pets_breed_chip (breed(191), chip(767) DESC),
                    CONSTRAINT pets_fk_owner_id FOREIGN KEY (owner_id) REFERENCES owners (id)
                ) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

                """
        )
    }

    @Test("refuses migrations that are wrong")
    func refuses() {
        let wrong = [Migration(2, "gap", [])]

        #expect(throws: MigrationError.invalid(["migration 2 stands at place 1"])) {
            try SchemaDump.text(of: wrong, dialect: .sqlite)
        }
    }
}
