/// What is wrong with migrations that an engine would refuse, or take and read differently.
///
/// Checked before anything runs, so that a mistake made on one engine does not wait for the other one.
struct MigrationChecks {
    private(set) var problems: [String] = []
    private var model = SchemaModel()

    init(_ migrations: [Migration]) {
        for (index, migration) in migrations.enumerated() {
            if migration.number != index + 1 {
                problems.append("migration \(migration.number) stands at place \(index + 1)")
            }
            if migration.name.isEmpty || migration.name.utf8.count > 190 {
                problems.append("migration \(migration.number) needs a name of at most 190 bytes")
            }
            for step in migration.steps {
                check(step)
                do {
                    try model.apply(step)
                } catch {
                    problems.append("migration \(migration.number): \(error.description)")
                }
            }
        }
    }

    private mutating func check(_ step: MigrationStep) {
        switch step {
        case .createTable(let table):
            check(table)
        case .addColumn(let column, let table):
            check(column, of: table)
            if !column.isNullable, column.defaultValue == nil {
                problems.append("\(table).\(column.name): a new column must be nullable or have a default")
            }
        case .createIndex(let index, let table), .createUniqueKey(let index, let table):
            guard let columns = model.table(table)?.columns else { return }
            check(index, of: table, columns: columns)
            for name in index.columns.map(\.name) where columns.first(where: { $0.name == name })?.keyPrefix != nil {
                problems.append("\(table).\(name): so long a column can get a key together with its table only")
            }
        case .dropTable, .dropColumn, .dropIndex, .data:
            break
        }
    }

    private mutating func check(_ table: Table) {
        checkName(table.name)
        var names: Set<String> = []
        for column in table.columns {
            check(column, of: table.name)
            if !names.insert(column.name).inserted {
                problems.append("\(table.name).\(column.name): exists twice")
            }
        }
        if table.primaryKey.isEmpty {
            problems.append("\(table.name): has no primary key")
        }
        for name in table.primaryKey where table.column(name)?.isNullable == true {
            problems.append("\(table.name).\(name): part of the primary key and nullable")
        }
        let primary = Table.Index(table.primaryKey.map { Table.IndexColumn(stringLiteral: $0) })
        for index in [primary] + table.uniqueKeys + table.indexes {
            check(index, of: table.name, columns: table.columns)
        }
        for name in ([primary] + table.uniqueKeys).flatMap({ $0.columns.map(\.name) })
        where table.column(name)?.keyPrefix != nil {
            problems.append("\(table.name).\(name): is too long for a unique key, of which MySQL 5.6 takes 767 bytes")
        }
        let rowBytes = table.columns.reduce(0) { $0 + $1.rowBytes }
        if rowBytes > 65_535 {
            problems.append("\(table.name): a row may have \(rowBytes) bytes, MySQL takes 65535")
        }
        for key in table.foreignKeys { check(key, of: table) }
    }

    /// InnoDB makes an index for a foreign key without one, under a name of its own choice.
    private mutating func check(_ key: ForeignKey, of table: Table) {
        checkName(key.name(on: table.name))
        let indexes = [table.primaryKey] + (table.uniqueKeys + table.indexes).map { $0.columns.map(\.name) }
        if !indexes.contains(where: { $0.starts(with: key.columns) }) {
            problems.append("\(table.name): no index begins with the foreign key \(key.columns)")
        }
        guard let other = key.table == table.name ? table : model.table(key.table) else {
            problems.append("\(table.name): refers to \(key.table), which does not exist")
            return
        }
        let kinds = key.columns.map { table.column($0)?.kind }
        if kinds.contains(nil) || kinds != key.referencedColumns.map({ other.column($0)?.kind }) {
            problems.append("\(table.name): the foreign key \(key.columns) differs from what it refers to")
        }
        let keys = [other.primaryKey] + other.uniqueKeys.map { $0.columns.map(\.name) }
        if !keys.contains(key.referencedColumns) {
            problems.append("\(table.name): \(key.table) has no unique key \(key.referencedColumns)")
        }
    }

    private mutating func check(_ column: Column, of table: String) {
        checkName(column.name)
        switch (column.kind, column.defaultValue) {
        case (_, nil), (.bool, .integer(0)), (.bool, .integer(1)), (.integer, .integer), (.timestamp, .integer):
            break
        case (.name(let limit), .text(let text)), (.ascii(let limit), .text(let text)):
            if text.utf8.count > limit || !text.utf8.allSatisfy(Self.isPlain) {
                problems.append("\(table).\(column.name): the default is too long or not a plain word")
            }
        default:
            problems.append("\(table).\(column.name): cannot have this default on every engine")
        }
        switch column.kind {
        case .name(let length), .ascii(let length), .binary(let length):
            if length < 1 || length > 16_000 {
                problems.append("\(table).\(column.name): the length must be 1 to 16000")
            }
        case .id, .text, .bytes, .bool, .integer, .timestamp: break
        }
    }

    private mutating func check(_ index: Table.Index, of table: String, columns: [Column]) {
        checkName(index.name(on: table))
        var bytes = 0
        for name in index.columns.map(\.name) {
            guard let column = columns.first(where: { $0.name == name }) else {
                problems.append("\(table): an index names \(name), which does not exist")
                continue
            }
            guard let size = column.keyBytes else {
                problems.append("\(table).\(name): has no bound and cannot be part of a key on MySQL")
                continue
            }
            bytes += size
        }
        if bytes > 3072 {
            problems.append("\(index.name(on: table)): has \(bytes) bytes, MySQL takes 3072")
        }
    }

    private mutating func checkName(_ name: String) {
        let isPlain = name.utf8.allSatisfy { Self.isLowercase($0) || Self.isDigit($0) || $0 == UInt8(ascii: "_") }
        if !isPlain || name.utf8.first.map(Self.isLowercase) != true || name.utf8.count > 64 {
            problems.append("\(name): a name is a-z, 0-9 and _, begins with a letter and has at most 64 bytes")
        } else if Self.reservedWords.contains(name) {
            problems.append("\(name): is a word of SQL that some engine reserves")
        }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        isLowercase(byte) || isDigit(byte) || (65...90).contains(byte) || [32, 45, 46, 95].contains(byte)
    }

    private static func isLowercase(_ byte: UInt8) -> Bool { (97...122).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
}

extension Column {
    /// The bytes it takes in an index of MySQL, at most; nil when there is no limit.
    fileprivate var keyBytes: Int? {
        let size: Int? =
            switch kind {
            case .id: 36
            case .name(let length): 4 * length + 2
            case .ascii(let length), .binary(let length): length + 2
            case .bool: 1
            case .integer, .timestamp: 8
            case .text, .bytes: nil
            }
        return size.map { isNullable ? $0 + 1 : $0 }
    }

    /// The bytes it takes in a row of MySQL, at most; long values are elsewhere.
    fileprivate var rowBytes: Int {
        (keyBytes ?? 12) + 1
    }
}

extension Migration {
    /// What is wrong with these migrations; empty when they can run on every engine.
    package static func problems(in migrations: [Migration]) -> [String] {
        MigrationChecks(migrations).problems
    }
}

extension MigrationChecks {
    /// Words a name cannot be without quotes on SQLite, MySQL 5.7 to 9 or MariaDB.
    private static let reservedWords: Set<String> = {
        let words = """
            accessible add all alter always analyze and array as asc asensitive autoincrement before between bigint \
            binary blob both by call cascade case cast change char character check collate collation column commit \
            condition constraint continue convert create cross cube cume_dist current current_date current_role \
            current_time current_timestamp current_user cursor database databases dec decimal declare default \
            deferrable delayed delete dense_rank desc describe deterministic distinct distinctrow div double drop \
            dual each else elseif empty enclosed escape escaped except exists exit explain false fetch first_value \
            float float4 float8 for force foreign from full fulltext function general generated get grant group \
            grouping groups having high_priority if ignore ignore_server_ids in index infile inner inout insensitive \
            insert int int1 int2 int3 int4 int8 integer intersect interval into is isnull io_after_gtids \
            io_before_gtids iterate join json_table key keys kill lag last_value lateral lead leading leave left \
            like limit linear lines load localtime localtimestamp lock long longblob longtext loop low_priority \
            manual master_heartbeat_period master_ssl_verify_server_cert match maxvalue mediumblob mediumint \
            mediumtext middleint mod modifies natural no not nothing notnull no_write_to_binlog nth_value ntile null \
            numeric of offset on optimize optimizer_costs option optionally or order out outer outfile over \
            page_checksum parallel parse_vcol_expr partition percent_rank precision primary procedure purge qualify \
            raise range rank read reads read_write real recursive references ref_system_id regexp release rename \
            repeat replace require resignal restrict return returning revoke right rlike row row_number rows schema \
            schemas select sensitive separator set show signal slow smallint spatial specific sql sqlexception \
            sqlstate sqlwarning sql_big_result sql_calc_found_rows sql_small_result ssl starting stats_auto_recalc \
            stats_persistent stats_sample_pages stored straight_join system table tablesample terminated then \
            tinyblob tinyint tinytext to trailing transaction trigger true undo union unique unlock unsigned update \
            usage use using utc_date utc_time utc_timestamp values varbinary varchar varcharacter varying virtual \
            when where while window with within write xor year_month zerofill
            """
        return Set(words.split(separator: " ").map(String.init))
    }()
}
