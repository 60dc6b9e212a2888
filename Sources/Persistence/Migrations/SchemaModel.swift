/// The tables that a list of steps leaves behind.
struct SchemaModel {
    /// In the order of their creation.
    private(set) var tables: [Table] = []

    /// A step that does not fit what is there.
    struct Misfit: Error, CustomStringConvertible {
        let description: String
    }

    func table(_ name: String) -> Table? {
        tables.first { $0.name == name }
    }

    mutating func apply(_ step: MigrationStep) throws(Misfit) {
        switch step {
        case .createTable(let table):
            guard self.table(table.name) == nil else { throw Misfit(description: "\(table.name) exists already") }
            tables.append(table)
        case .addColumn(let column, let table):
            let index = try position(of: table)
            guard tables[index].column(column.name) == nil else {
                throw Misfit(description: "\(table).\(column.name) exists already")
            }
            tables[index].columns.append(column)
        case .createIndex(let index, let table):
            let position = try position(ofTableWithout: index, named: table)
            tables[position].indexes.append(index)
        case .createUniqueKey(let index, let table):
            let position = try position(ofTableWithout: index, named: table)
            tables[position].uniqueKeys.append(index)
        case .dropTable(let table):
            let position = try position(of: table)
            for other in tables where other.name != table && other.foreignKeys.contains(where: { $0.table == table }) {
                throw Misfit(description: "\(other.name) refers to \(table)")
            }
            tables.remove(at: position)
        case .dropColumn(let column, let table):
            try dropColumn(column, from: table)
        case .dropIndex(let index, let table):
            try dropIndex(index, on: table)
        case .data:
            break
        }
    }

    private mutating func dropColumn(_ column: String, from table: String) throws(Misfit) {
        let position = try position(of: table)
        guard tables[position].column(column) != nil else {
            throw Misfit(description: "\(table).\(column) does not exist")
        }
        let indexes = tables[position].uniqueKeys + tables[position].indexes
        let isUsed =
            tables[position].primaryKey.contains(column)
            || indexes.contains { $0.columns.contains { $0.name == column } }
            || tables[position].foreignKeys.contains { $0.columns.contains(column) }
        guard !isUsed else { throw Misfit(description: "\(table).\(column) is part of a key or an index") }
        tables[position].columns.removeAll { $0.name == column }
    }

    private mutating func dropIndex(_ index: Table.Index, on table: String) throws(Misfit) {
        let position = try position(of: table)
        let before = tables[position]
        tables[position].indexes.removeAll { $0 == index }
        tables[position].uniqueKeys.removeAll { $0 == index }
        guard tables[position] != before else {
            throw Misfit(description: "\(index.name(on: table)) does not exist")
        }
        let left = [before.primaryKey] + (tables[position].indexes + tables[position].uniqueKeys).map(\.columnNames)
        for key in before.foreignKeys where !left.contains(where: { $0.starts(with: key.columns) }) {
            throw Misfit(description: "\(index.name(on: table)) is needed by a foreign key")
        }
    }

    private func position(of table: String) throws(Misfit) -> Int {
        guard let position = tables.firstIndex(where: { $0.name == table }) else {
            throw Misfit(description: "\(table) does not exist")
        }
        return position
    }

    private func position(ofTableWithout index: Table.Index, named table: String) throws(Misfit) -> Int {
        let position = try position(of: table)
        let name = index.name(on: table)
        let names = (tables[position].indexes + tables[position].uniqueKeys).map { $0.name(on: table) }
        guard !names.contains(name) else { throw Misfit(description: "\(name) exists already") }
        return position
    }
}

extension Migration {
    /// The tables that migrations leave behind, in the order of their creation: what a table refers to comes before it.
    ///
    /// - Throws: where a step does not fit what is there.
    package static func tables(after migrations: [Migration]) throws -> [Table] {
        var model = SchemaModel()
        for step in migrations.flatMap(\.steps) { try model.apply(step) }
        return model.tables
    }
}

extension Table.Index {
    var columnNames: [String] { columns.map(\.name) }
}
