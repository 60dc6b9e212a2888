import Kernel
import Server
import Testing

@Suite("The page about configuration")
struct ConfigurationDocumentationTests {
    @Test("shows every setting that the server reads, once, and no other")
    func isComplete() throws {
        let settings = Settings([:])
        _ = try Configuration(settings: settings)
        _ = try MigrationConfiguration(settings: settings, database: nil)

        let rows = try documented()

        // What lets tests break a server is in no release, and on the page about reliability.
        let names = settings.effective.map(\.name).filter { !$0.hasPrefix("CAIRN_FAILPOINT") }
        #expect(rows.map(\.name).sorted() == names)
    }

    @Test("marks secrets, and what it marks is never shown")
    func marksSecrets() throws {
        let rows = try documented()
        let settings = Settings(Dictionary(rows.map { ($0.name, "1-visible-1") }) { first, _ in first })
        // Most of these values fit no setting: what counts is what is shown of them.
        let problems = #expect(throws: ConfigurationError.self) { _ = try Configuration(settings: settings) }
        _ = try? MigrationConfiguration(settings: settings, database: nil)
        let shown = Dictionary(uniqueKeysWithValues: settings.effective.map { ($0.name, $0.value ?? "") })

        for row in rows where row.isSecret {
            #expect(shown[row.name] == "[redacted]", "\(row.name)")
            let texts = problems?.problems.filter { $0.setting == row.name }.map(\.text) ?? []
            #expect(texts.allSatisfy { !$0.contains("visible") }, "\(row.name)")
        }
        let words = ["PASSWORD", "TOKEN", "PRIVATE", "SECRET", "API_KEY", "LICENSE_KEY", "WRITE_KEY"]
        // The name of a file is none, whatever is in it.
        let notSecret = ["_FILE", "_ALLOW_EMPTY_PASSWORD"]
        for row in rows where words.contains(where: row.name.contains) && !notSecret.contains(where: row.name.hasSuffix)
        {
            #expect(row.isSecret, "\(row.name)")
        }
    }

    @Test("shows the defaults that the server uses")
    func showsDefaults() throws {
        let settings = Settings([:])
        _ = try Configuration(settings: settings)
        let defaults = settings.effective.filter { $0.source == .default }
        let rows = try Dictionary(uniqueKeysWithValues: documented().map { ($0.name, $0.fallback) })

        for setting in defaults {
            let value = setting.value?.replacing("./cairn-data/", with: "") ?? ""
            #expect(rows[setting.name]?.contains(value) == true, "\(setting)")
        }
        #expect(defaults.count >= 10)
    }

    private struct Row {
        let name: String
        let isSecret: Bool
        let fallback: String
    }

    /// The rows whose first cell is a variable.
    private func documented() throws -> [Row] {
        let text = String(decoding: try Repository.read("docs/configuration.md"), as: UTF8.self)
        return text.split(separator: "\n").compactMap { line in
            let cells = line.split(separator: "|").map { $0.trimmingPrefix(" ") }
            guard line.hasPrefix("| `"), let first = cells.first else { return nil }
            let name = first.dropFirst().prefix { $0 != "`" }
            return Row(name: String(name), isSecret: line.contains("**secret**"), fallback: String(cells.last ?? ""))
        }
    }
}
