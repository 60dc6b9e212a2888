/// A table as a migration creates it, the same for every engine.
///
/// Names are plain lower-case words, because stores write them without quotes; `Migration.problems` checks them.
package struct Table: Sendable, Equatable {
    package var name: String
    package var columns: [Column]
    package var primaryKey: [String]
    package var uniqueKeys: [Index]
    package var indexes: [Index]
    package var foreignKeys: [ForeignKey]
    /// Whether SQLite keeps the rows in the order of the primary key, as MySQL always does: for small rows that are
    /// read by ranges of it.
    package var isClustered: Bool

    package init(
        _ name: String,
        columns: [Column],
        primaryKey: [String],
        uniqueKeys: [Index] = [],
        indexes: [Index] = [],
        foreignKeys: [ForeignKey] = [],
        isClustered: Bool = false
    ) {
        self.name = name
        self.columns = columns
        self.primaryKey = primaryKey
        self.uniqueKeys = uniqueKeys
        self.indexes = indexes
        self.foreignKeys = foreignKeys
        self.isClustered = isClustered
    }

    package func column(_ name: String) -> Column? {
        columns.first { $0.name == name }
    }
}

/// One column.
package struct Column: Sendable, Equatable {
    package var name: String
    package var kind: ColumnKind
    package var isNullable: Bool
    /// What rows get that do not name the column; `text` and `bytes` cannot have one on every MySQL.
    package var defaultValue: SQLValue?

    package init(_ name: String, _ kind: ColumnKind, nullable: Bool = false, default value: SQLValue? = nil) {
        self.name = name
        self.kind = kind
        isNullable = nullable
        defaultValue = value
    }
}

/// What a column holds (`architecture.md` §9.2).
///
/// Each kind has one form per engine; there is no other way to name a type.
package enum ColumnKind: Sendable, Hashable {
    /// An `ID`: UUID text.
    case id
    /// Unicode text of at most so many characters, which can be part of a key.
    ///
    /// MySQL ignores spaces at the end when it compares; names that may end in one are refused at the edge.
    case name(Int)
    /// ASCII text of at most so many characters: codes, digests in hexadecimal; a quarter of a name's room in keys.
    case ascii(Int)
    /// Text of any length, JSON documents too.
    case text
    /// Bytes of any length.
    case bytes
    /// At most so many bytes, which can be part of a key.
    case binary(Int)
    case bool
    case integer
    /// A `Timestamp`, in microseconds.
    case timestamp
}

extension Column {
    /// The bytes of one column that a key has on MySQL 5.6 and 5.7 with the file format `Antelope`.
    private static let longestKeyPart = 767

    /// How many characters of it an index has on MySQL; nil when it has all.
    ///
    /// Such a column is in no unique key, which would take two values with the same beginning for the same one.
    package var keyPrefix: Int? {
        switch kind {
        case .name(let length) where 4 * length > Self.longestKeyPart: Self.longestKeyPart / 4
        case .ascii(let length), .binary(let length): length > Self.longestKeyPart ? Self.longestKeyPart : nil
        case .name, .id, .text, .bytes, .bool, .integer, .timestamp: nil
        }
    }
}

extension Table {
    /// An index or a unique key over columns, in their order.
    package struct Index: Sendable, Equatable, ExpressibleByArrayLiteral {
        package var columns: [IndexColumn]

        package init(_ columns: [IndexColumn]) {
            self.columns = columns
        }

        package init(arrayLiteral columns: IndexColumn...) {
            self.columns = columns
        }

        /// What both engines call it: the table and the columns, which is also the key that
        /// `DatabaseError.duplicate` names.
        package func name(on table: String) -> String {
            ([table] + columns.map(\.name)).joined(separator: "_")
        }
    }

    /// One column of an index.
    package struct IndexColumn: Sendable, Equatable, ExpressibleByStringLiteral {
        package var name: String
        package var isDescending: Bool

        package init(stringLiteral name: String) {
            self.name = name
            isDescending = false
        }

        private init(name: String, isDescending: Bool) {
            self.name = name
            self.isDescending = isDescending
        }

        /// For lists whose order mixes directions.
        ///
        /// MySQL 5.7 takes the word and ignores it.
        package static func descending(_ name: String) -> IndexColumn {
            IndexColumn(name: name, isDescending: true)
        }
    }
}

/// Values that must exist in another table.
///
/// Deleting a row that is referred to is refused; nothing cascades.
package struct ForeignKey: Sendable, Equatable {
    package var columns: [String]
    package var table: String
    package var referencedColumns: [String]

    package init(_ columns: [String], references table: String, _ referencedColumns: [String]) {
        self.columns = columns
        self.table = table
        self.referencedColumns = referencedColumns
    }

    package func name(on table: String) -> String {
        "\(table)_fk_\(columns.joined(separator: "_"))"
    }
}
