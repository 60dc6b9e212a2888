import ContractGen
import Foundation
import Testing

/// The small contract beside this file, and the files that are made of it.
enum Golden {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden")

    static func text(_ name: String) throws -> String {
        try String(contentsOf: folder.appending(path: name), encoding: .utf8)
    }

    static func files() throws -> [String: String] {
        try Generator.files(contract: text("contract.json"), overrides: text("overrides.json"))
    }
}

@Suite("The generator")
struct GeneratorTests {
    /// `UPDATE_GOLDEN=1` writes the files anew, for a change that is meant; the difference is then reviewed.
    @Test("makes the expected files of a contract of three operations")
    func makesGoldenFiles() throws {
        let files = try Golden.files()
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
            for (name, text) in files {
                let path = Golden.folder.appending(path: "\(name).txt")
                try text.write(to: path, atomically: true, encoding: .utf8)
            }
        }

        let expected = try FileManager.default.contentsOfDirectory(atPath: Golden.folder.path)
            .filter { $0.hasSuffix(".txt") }
        #expect(Set(files.keys.map { "\($0).txt" }) == Set(expected))
        for (name, text) in files {
            #expect(try text == Golden.text("\(name).txt"), "\(name)")
        }
    }

    @Test("makes the same text every time")
    func isDeterministic() throws {
        let first = try Golden.files()

        for _ in 0..<5 {
            #expect(try Golden.files() == first)
        }
    }

    @Test("leaves nothing of what no operation uses")
    func leavesOutUnused() throws {
        let all = try Golden.files().values.joined()

        #expect(!all.contains("Unused"))
        #expect(!all.contains("struct Secret"))
    }

    @Test(
        "refuses overrides of what does not exist, or without a reason",
        arguments: [
            (#"{"operations":[{"ids":["nope"],"body":"raw","reason":"r"}]}"#, "the operation nope"),
            (#"{"operations":[{"ids":["putShelf"],"body":"raw"}]}"#, "no reason"),
            (
                #"{"operations":[{"ids":["readNotes"],"ignoresUnknownFields":true,"reason":"r"}]}"#,
                "readNotes has no body"
            ),
            (#"{"schemas":[{"schema":"Nope","reason":"r"}]}"#, "the schema Nope"),
            (#"{"schemas":[{"schema":"Note","demand":["nope"],"reason":"r"}]}"#, "Note.nope"),
            (#"{"paths":{"a,b":"ABPath"}}"#, "the path list a,b"),
            (#"{"queries":{"nope":"NopeQuery"}}"#, "the query list nope"),
        ]
    )
    func refusesStaleOverrides(overrides: String, problem: String) throws {
        let contract = try Golden.text("contract.json")

        let error = #expect(throws: GeneratorError.self) {
            try Generator.files(contract: contract, overrides: overrides)
        }

        #expect(error?.description.contains(problem) == true)
    }

    @Test(
        "refuses names that are taken",
        arguments: [
            ("Task", "Task means something else"),
            ("NotePlain", "two things would be called NotePlain"),
            ("PutShelf", "PutShelf is an operation and a schema"),
        ]
    )
    func refusesTakenNames(name: String, problem: String) throws {
        let contract = try Golden.text("contract.json")
        let overrides = #"{"schemas":[{"schema":"Shelf","rename":"\#(name)","reason":"r"}]}"#

        let error = #expect(throws: GeneratorError.self) {
            try Generator.files(contract: contract, overrides: overrides)
        }

        #expect(error?.description.contains(problem) == true)
    }

    @Test("refuses a contract it does not understand")
    func refusesUnknownTypes() throws {
        let contract = try Golden.text("contract.json")

        for (known, unknown) in [
            (#""format":"byte""#, #""format":"hex""#),
            (#""ref":"Genre""#, #""ref":"Gone""#),
            (#""collectionFormat":"multi""#, #""collectionFormat":"csv""#),
            (#""/api/shelves/{orgName}""#, #""/api/shelves/{org}""#),
            (#"{"name":"page_size","type":"integer""#, #"{"name":"page_size","type":"number""#),
            ("]", ""),
        ] {
            let broken = contract.replacingOccurrences(of: known, with: unknown)
            #expect(broken != contract)
            #expect(throws: GeneratorError.self) { try Generator.files(contract: broken, overrides: "{}") }
        }
    }
}

@Suite("Swift names")
struct NamesTests {
    @Test(
        "of properties begin with a small letter and keep the words apart",
        arguments: [
            ("stackName", "stackName"), ("updateID", "updateID"), ("GitHubLogin", "gitHubLogin"),
            ("secrets_providers", "secretsProviders"), ("$ref", "ref"), ("__type", "type"), ("IP", "ip"),
            ("URIs", "uris"),
            ("DNSNames", "dnsNames"), ("IsCA", "isCA"), ("ID", "id"), ("output-type", "outputType"),
            ("self", "selfLink"),
            ("2fa", "_2fa"),
        ]
    )
    func property(wire: String, name: String) {
        #expect(Names.property(wire) == name)
    }

    @Test(
        "of cases do not look like the cases of an optional",
        arguments: [
            ("not started", "notStarted"), ("dev.azure.com", "devAzureCom"), ("stack:list", "stackList"), ("", "empty"),
            ("None", "nothing"), ("SAML", "saml"), ("create-replacement", "createReplacement"), ("nonfoo", "nonfoo"),
        ]
    )
    func enumerationCase(wire: String, name: String) {
        #expect(Names.enumerationCase(wire) == name)
    }

    @Test(
        "of types and files begin with a capital",
        arguments: [("renameStack", "RenameStack"), ("ai_agents", "AiAgents")]
    )
    func upperCamel(wire: String, name: String) {
        #expect(Names.upperCamel(wire) == name)
    }

    @Test("that are keywords are escaped", arguments: ["default", "import", "in", "protocol"])
    func escaped(name: String) {
        #expect(Names.escaped(name) == "`\(name)`")
        #expect(Names.escaped("\(name)s") == "\(name)s")
    }
}
