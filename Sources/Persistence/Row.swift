package import Kernel

/// What a driver offers of the row it stands on.
///
/// Columns are counted from 0.
package protocol RowSource {
    var columnCount: Int { get }
    func isNull(_ column: Int) -> Bool
    func integer(_ column: Int) throws -> Int64
    func text(_ column: Int) throws -> String
    func bytes(_ column: Int) throws -> [UInt8]
    /// Calls `body` with the UTF-8 of a text, which may be anything, for values that are read without becoming a `String`.
    func withText(_ column: Int, _ body: (Span<UInt8>) -> Void) throws
}

extension RowSource {
    package func withText(_ column: Int, _ body: (Span<UInt8>) -> Void) throws {
        body(try text(column).utf8.span)
    }
}

/// One row of a result, valid only inside the closure that gets it.
///
/// Columns are read by position, in the order of the statement: a store names its columns once and reads them in the
/// same order.
package struct Row {
    private let source: any RowSource

    package init(_ source: any RowSource) {
        self.source = source
    }

    package func isNull(_ column: Int) -> Bool {
        source.isNull(column)
    }

    package func integer(_ column: Int) throws -> Int64 {
        try source.integer(column)
    }

    package func int(_ column: Int) throws -> Int {
        Int(try source.integer(column))
    }

    package func bool(_ column: Int) throws -> Bool {
        try source.integer(column) != 0
    }

    package func text(_ column: Int) throws -> String {
        try source.text(column)
    }

    package func bytes(_ column: Int) throws -> [UInt8] {
        try source.bytes(column)
    }

    package func timestamp(_ column: Int) throws -> Timestamp {
        Timestamp(microseconds: try source.integer(column))
    }

    package func id<Entity>(_ column: Int, of entity: Entity.Type = Entity.self) throws -> ID<Entity> {
        var id: ID<Entity>?
        try source.withText(column) { id = ID<Entity>($0) }
        guard let id else { throw RowError.notAnID(column: column, text: try source.text(column)) }
        return id
    }

    /// The column read by `read`, or nil where it is NULL.
    package func optional<T>(_ column: Int, _ read: (Row) -> (Int) throws -> T) throws -> T? {
        source.isNull(column) ? nil : try read(self)(column)
    }
}

/// A column that does not hold what the store expects: a mistake in the store or damage in the database.
package enum RowError: Error, Sendable, Equatable {
    case isNull(column: Int)
    case wrongType(column: Int, expected: String)
    case notAnID(column: Int, text: String)
}
