import Foundation
import Kernel
import Persistence
import PersistenceMySQL
import Testing

/// A server of one test's own, for tests that stop, cut or reconfigure it.
final class PrivateServer: Sendable {
    let kind: TestServer
    let port: Int
    private let folder: String
    private let scripts: String

    private init(_ kind: TestServer, port: Int, folder: String, scripts: String) {
        self.kind = kind
        self.port = port
        self.folder = folder
        self.scripts = scripts
    }

    /// Runs `body` with a server that has these options beside the scripts' own, and removes it afterwards.
    static func with<T>(
        _ kind: TestServer,
        options: [String] = [],
        _ body: (PrivateServer) async throws -> T
    ) async throws -> T {
        // Says so when the servers are not installed.
        _ = try kind.configuration()
        guard let scripts = ProcessInfo.processInfo.environment["CAIRN_TEST_SERVICES"] else {
            try TestServer.skip("CAIRN_TEST_SERVICES is not set: start the servers with ./dev services start")
        }
        let memory = "/dev/shm"
        let root = FileManager.default.isWritableFile(atPath: memory) ? memory : NSTemporaryDirectory()
        let folder = "\(root)/cairn-instance-\(UInt64.random(in: 0 ... .max))"
        let server = PrivateServer(kind, port: try Loopback.freePort(), folder: folder, scripts: scripts)
        let result: Result<T, any Error>
        do {
            try await server.script(["start", kind.rawValue, folder, "\(server.port)"] + options)
            result = .success(try await body(server))
        } catch {
            result = .failure(error)
        }
        try? await server.kill()
        try? FileManager.default.removeItem(atPath: folder)
        return try result.get()
    }

    /// As a power cut would.
    func kill() async throws {
        try await script(["kill", folder])
    }

    /// Starts it again with the data it has.
    func resume() async throws {
        try await script(["resume", folder])
    }

    func configuration(
        _ account: TestServer.Account = .service,
        host: String? = nil,
        limits: MySQLConfiguration.Limits = .patient
    ) throws -> MySQLConfiguration {
        var configuration = try kind.configuration(account, limits: limits)
        configuration.endpoint = MySQLEndpoint(host: host ?? configuration.endpoint.host, port: port)
        return configuration
    }

    /// Runs a statement as the administrator.
    func administer(_ text: String) async throws {
        let driver = try MySQLDriver(configuration(.administrator))
        do {
            try await driver.run(text)
        } catch {
            await driver.close()
            throw error
        }
        await driver.close()
    }

    private func script(_ arguments: [String]) async throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = ["\(scripts)/run-instance.sh"] + arguments
        process.standardInput = FileHandle.nullDevice
        let output = Pipe()
        process.standardError = output
        process.standardOutput = output
        let status = try await withCheckedThrowingContinuation {
            (continuation: CheckedContinuation<Int32, any Error>) in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do {
                try process.run()
            } catch {
                process.terminationHandler = nil
                continuation.resume(throwing: error)
            }
        }
        guard status == 0 else {
            let text = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
            throw ScriptFailure(description: "instance.sh \(arguments.joined(separator: " ")) failed: \(text)")
        }
    }

    struct ScriptFailure: Error, CustomStringConvertible {
        let description: String
    }
}
