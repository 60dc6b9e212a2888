import Glibc
import Kernel
import PersistenceSQLite
import Server
import TestKit
import Testing

@Suite("A start that cannot be")
struct RefusedStartTests {
    @Test("ends with code 78 where settings are wrong, before anything is made")
    func refusesSettings() async throws {
        try await TestFolder.with { folder in
            let console = Console()

            let code = await console.run(
                ["serve"],
                variables: ["CAIRN_DATA": "\(folder)/data", "PORT": "http", "CAIRN_LOG_LEVEL": "loud"]
            )

            #expect(code == 78)
            #expect(console.error.contains("PORT: ") && console.error.contains("CAIRN_LOG_LEVEL: "))
            #expect(access("\(folder)/data", F_OK) != 0)
        }
    }

    @Test("ends with code 78 where the key is missing")
    func refusesMissingKey() async throws {
        try await TestFolder.with { folder in
            let console = Console()

            let code = await console.run(
                [],
                variables: variables(folder, ["PULUMI_LOCAL_KEYS": "\(folder)/no-such-key"])
            )

            #expect(code == 78)
            #expect(console.error.contains("PULUMI_LOCAL_KEYS: "))
        }
    }

    @Test(
        "ends with code 78 where nobody says in which region the table for the audit log is",
        arguments: ["serve", "check"]
    )
    func refusesTableWithoutRegion(command: String) async throws {
        try await TestFolder.with { folder in
            let console = Console()
            let keys = ["AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "HOME": folder]

            let code = await console.run(
                [command],
                variables: variables(folder, ["PULUMI_AUDIT_LOGS_DYNAMO_TABLE": "audit"].merging(keys) { $1 })
            )

            #expect(code == 78)
            #expect(console.error.contains("PULUMI_AUDIT_LOGS_DYNAMO_TABLE: has no region: set AWS_REGION"))
        }
    }

    @Test("ends with one line that says what to do where the data folder cannot be made")
    func refusesFolder() async throws {
        let console = Console()

        let code = await console.run([], variables: variables("/proc/no-such-folder", [:]))

        #expect(code == 69)
        #expect(console.error.split(separator: "\n").count == 1)
        #expect(console.error.contains("CAIRN_DATA"))
    }

    @Test("says who listens on the port already, and shows the token all the same")
    func refusesPort() async throws {
        try await TestFolder.with { folder in
            let listener = try Listener()
            let console = Console()

            let code = await console.run([], variables: variables(folder, ["PORT": "\(listener.port)"]))

            #expect(code == 69)
            #expect(console.error.contains("\(listener.port)"))
            #expect(console.error.contains("in use"))
            #expect(console.error.split(separator: "\n").count == 1)
            // The account was made, and its token cannot be shown a second time.
            #expect(console.output.contains("pul-"))
        }
    }

    @Test("says that another server has the data folder already")
    func refusesSecondServer() async throws {
        try await TestFolder.with { folder in
            let first = try await SQLiteDriver.open(SQLiteConfiguration(path: "\(folder)/cairn.db"))
            let console = Console()

            let code = await console.run([], variables: variables(folder, ["PORT": "1"]))
            await first.close()

            #expect(code == 69)
            #expect(console.error.split(separator: "\n").count == 1, "\(console.error)")
            #expect(console.error.contains(folder))
            #expect(console.output.isEmpty)
        }
    }

    private func variables(_ folder: String, _ more: [String: String]) -> [String: String] {
        [
            "CAIRN_DATA": folder, "CAIRN_LISTEN": "127.0.0.1", "CAIRN_LOG_LEVEL": "error",
        ].merging(more) { $1 }
    }
}

/// A socket that takes a port.
private final class Listener {
    struct Failure: Error {}

    let port: UInt16
    private let descriptor: Int32

    init() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) == 0 && listen(descriptor, 1) == 0
                    && getsockname(descriptor, address, &length) == 0
            }
        }
        self.descriptor = descriptor
        port = UInt16(bigEndian: address.sin_port)
        guard result else { throw Failure() }
    }

    deinit {
        close(descriptor)
    }
}
