import Foundation
import Testing

/// The display names of tests begin with the numbers of what they prove: `@Test("48, seen 1: waits for …")`.
///
/// A number is an assertion of `spec/cli-protocol.md` §22 or, with a dot, a worked vector of §23; `seen` and a number is a
/// fact of `spec/cli-observed.md`.
@Suite("What is written about the protocol")
struct AssertionCoverageTests {
    @Test("has a test for each of the 93 assertions, or a reason why there is none here")
    func assertions() throws {
        try expectProof(of: (1...93).map(String.init), except: Self.assertionsElsewhere)
    }

    @Test("has a test for each worked vector")
    func vectors() throws {
        try expectProof(of: (1...6).map { "23.\($0)" }, except: ["23.6": "agents cannot sign up: 404 is the answer"])
    }

    @Test("has a test for each fact that was seen of real clients and that a server can get wrong")
    func facts() throws {
        try expectProof(of: (1...29).map { "seen \($0)" }, except: Self.factsElsewhere)
    }

    /// What no test in Swift proves.
    private static let assertionsElsewhere = [
        "62": "Tests/EndToEnd/run-70-faults.sh",
        "93": "Tests/EndToEnd/run-10-recordings.sh",
    ]

    private static let factsElsewhere = [
        "seen 5": "the order of a client's first requests; every recording has it",
        "seen 8": "what a client does after 503; Tests/EndToEnd/run-10-recordings.sh",
        "seen 9": "what a client does after 413; assertion 76",
        "seen 14": "how large batches are; nothing to get right",
        "seen 15": "how often single values are decrypted; nothing to get right",
        "seen 16": "which requests a client does not send",
        "seen 21": "which secrets a client encrypts anew; nothing to get right",
        "seen 22": "what a client does not write; nothing to get right",
        "seen 23": "which requests a client sends; assertion 33",
        "seen 24": "the words in a header that is only logged",
        "seen 25": "how many requests a client sends",
        "seen 27": "how many requests a client sends",
        "seen 29": "which headers a client sends; Tests/EndToEnd/run-10-recordings.sh",
    ]

    private func expectProof(
        of numbers: [String],
        except reasons: [String: String],
        at location: SourceLocation = #_sourceLocation
    ) throws {
        let proven = try Self.proven()
        let missing = numbers.filter { !proven.contains($0) && reasons[$0] == nil }
        let excused = reasons.keys.filter { proven.contains($0) || !numbers.contains($0) }
        let gone = reasons.values.flatMap { $0.split(separator: " ") }
            .filter { $0.hasPrefix("Tests/") && !FileManager.default.fileExists(atPath: Self.root + "/" + $0) }

        #expect(missing.isEmpty, "no test's name begins with these", sourceLocation: location)
        #expect(excused.isEmpty, "these have a reason and a test", sourceLocation: location)
        #expect(gone.isEmpty, "these scripts are not there", sourceLocation: location)
    }

    private static let root: String = {
        var url = URL(fileURLWithPath: #filePath)
        while url.lastPathComponent != "Tests" { url.deleteLastPathComponent() }
        return url.deletingLastPathComponent().path
    }()

    /// Every number that the display name of a test begins with.
    private static func proven() throws -> Set<String> {
        let number = #"(?:seen )?[0-9]+(?:\.[0-9]+)?"#
        // The name stands behind `@Test(`, on its line or on the next one.
        let name = try Regex("@Test\\(\\s*\"(\(number)(?:(?:, | to )\(number))*): ", as: (Substring, Substring).self)
        var numbers: Set<String> = []
        let files = FileManager.default.enumerator(atPath: "\(root)/Tests")?.compactMap { $0 as? String } ?? []
        for file in files where file.hasSuffix(".swift") {
            let text = try String(contentsOfFile: "\(root)/Tests/\(file)", encoding: .utf8)
            for match in text.matches(of: name) { numbers.formUnion(expand(String(match.output.1))) }
        }
        return numbers
    }

    /// `79 to 82, seen 2` as single numbers.
    private static func expand(_ list: String) -> [String] {
        list.components(separatedBy: ", ")
            .flatMap { part -> [String] in
                let ends = part.components(separatedBy: " to ")
                guard ends.count == 2, let first = Int(ends[0]), let last = Int(ends[1]), first <= last else {
                    return [part]
                }
                return (first...last).map(String.init)
            }
    }
}
