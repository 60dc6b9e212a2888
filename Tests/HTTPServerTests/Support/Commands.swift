import Foundation

/// What a program said and how it ended.
struct Outcome: Sendable {
    var status: Int32
    var output: String
}

/// Runs a program to its end and gives what it wrote to both streams.
///
/// Blocks: call it on a thread.
func run(_ program: String, _ arguments: [String], input: String = "") throws -> Outcome {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    let (standardInput, output) = (Pipe(), Pipe())
    process.standardInput = standardInput
    process.standardOutput = output
    process.standardError = output
    try process.run()
    try? standardInput.fileHandleForWriting.write(contentsOf: Data(input.utf8))
    try? standardInput.fileHandleForWriting.close()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Outcome(status: process.terminationStatus, output: String(decoding: data, as: UTF8.self))
}

/// A folder that is deleted with its last holder.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "cairn-http-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    func bytes(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: file(name))))
    }
}

/// Certificates made for one test run.
struct Certificates: Sendable {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    /// A self-signed certificate for `localhost` and its key; `name` is its common name.
    func make(_ name: String) throws {
        let outcome = try run(
            "openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                "/CN=\(name)", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout",
                folder.file("\(name).key"),
                "-out", folder.file("\(name).pem"),
            ]
        )
        guard outcome.status == 0 else { throw RawClient.Problem(description: outcome.output) }
    }

    func openssl(_ arguments: [String]) throws {
        let outcome = try run("openssl", arguments)
        guard outcome.status == 0 else { throw RawClient.Problem(description: outcome.output) }
    }

    func bytes(_ name: String) throws -> [UInt8] { try folder.bytes(name) }
    func path(_ name: String) -> String { folder.file(name) }
}
