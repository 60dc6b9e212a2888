import Foundation
import Persistence
import Schema
import Testing

@Suite("The schema")
struct SchemaDumpTests {
    @Test("is the one that was reviewed in docs/schema", arguments: Dialect.allCases)
    func isReviewed(dialect: Dialect) throws {
        let text = try SchemaDump.text(of: Schema.migrations, dialect: dialect)
        let file = Self.file("docs/schema/schema.\(dialect.rawValue).sql")

        if ProcessInfo.processInfo.environment["CAIRN_REWRITE_GOLDEN"] == "1" {
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try Data(text.utf8).write(to: file)
        }

        #expect(try String(contentsOf: file, encoding: .utf8) == text, "CAIRN_REWRITE_GOLDEN=1 writes it anew")
    }

    @Test("has migrations with numbers from 1 and without gaps, and nothing wrong with them")
    func isSound() {
        #expect(Schema.migrations.map(\.number) == Array(1...Schema.migrations.count))
        #expect(Migration.problems(in: Schema.migrations).isEmpty)
    }

    private static func file(_ path: String) -> URL {
        var url = URL(fileURLWithPath: #filePath)
        while url.lastPathComponent != "Tests" { url.deleteLastPathComponent() }
        return url.deletingLastPathComponent().appendingPathComponent(path)
    }
}
