import Foundation
import Testing

/// The files of the repository that tests compare with the code.
enum Repository {
    private static let root: URL = {
        var url = URL(fileURLWithPath: #filePath)
        while url.lastPathComponent != "Tests" { url.deleteLastPathComponent() }
        return url.deletingLastPathComponent()
    }()

    static func read(_ path: String) throws -> Data {
        try Data(contentsOf: root.appendingPathComponent(path))
    }

    /// Compares `text` with a file that shows it, or writes the file where `CAIRN_REWRITE_GOLDEN` is 1.
    static func expect(_ text: String, in path: String, at location: SourceLocation = #_sourceLocation) throws {
        if ProcessInfo.processInfo.environment["CAIRN_REWRITE_GOLDEN"] == "1" {
            let url = root.appendingPathComponent(path)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            return try Data(text.utf8).write(to: url)
        }
        let found = (try? read(path)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        guard found != text else { return }
        Issue.record(
            "\(path) is not what the code says; CAIRN_REWRITE_GOLDEN=1 writes it anew. \(difference(found, text))",
            sourceLocation: location
        )
    }

    /// The first lines that only one of both texts has.
    private static func difference(_ found: String, _ wanted: String) -> String {
        let (old, new) = (found.split(separator: "\n"), wanted.split(separator: "\n"))
        let gone = Set(old).subtracting(new).sorted().prefix(5).map { "- \($0)" }
        let come = Set(new).subtracting(old).sorted().prefix(5).map { "+ \($0)" }
        return (["The first differences:"] + gone + come).joined(separator: "\n")
    }
}
