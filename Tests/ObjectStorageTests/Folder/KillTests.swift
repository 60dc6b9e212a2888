import Crypto
import Foundation
import Kernel
import ObjectStorage
import Testing

/// The variable by which `KillTests` makes a second process of this program a writer.
private let writerFolder = "CAIRN_TEST_OBJECT_WRITER"

@Suite("A process that is killed while it stores objects", .timeLimit(.minutes(10)))
struct KillTests {
    private let things = ObjectFolder("things")

    @Test("loses nothing that it acknowledged, and leaves nothing half written", .enabled(if: !isWriter))
    func killed() async throws {
        let folder = try TemporaryFolder()
        let pool = FolderObjectStore.makePool()
        var acknowledged: Set<String> = []

        for round in 0..<5 {
            acknowledged.formUnion(try writeAndKill(folder, afterLines: 20 + round * 7))
            let store = try FolderObjectStore(path: folder.path, setting: "X", pool: pool)
            var cursor: String?
            var found: Set<String> = []
            repeat {
                let page = try await store.list(in: nil, after: cursor, limit: 500)
                for object in page.objects {
                    #expect(try await store.get(object.key).count == object.size)
                    found.insert(object.key.description)
                }
                cursor = page.next
            } while cursor != nil
            #expect(acknowledged.isSubset(of: found))
        }

        #expect(acknowledged.count >= 5 * 20)
    }

    /// Not a test of its own: what the second process runs until it is killed, or has written enough for nobody.
    @Test("writes until it is killed", .enabled(if: isWriter))
    func writer() async throws {
        let path = try #require(ProcessInfo.processInfo.environment[writerFolder])
        let store = try FolderObjectStore(path: path, setting: "X", pool: FolderObjectStore.makePool())
        try await withThrowingTaskGroup { group in
            for worker in 0..<4 {
                group.addTask {
                    for _ in 0..<1000 {
                        let objects = (0..<(worker == 0 ? 20 : 1)).map { _ in Random.bytes(Int.random(in: 0...50_000)) }
                            .map { NewObject(key: things.content(SHA256.hash($0)), bytes: $0) }
                        try await store.putAll(objects)
                        let lines = objects.map { "acknowledged \($0.key)\n" }.joined()
                        _ = lines.withCString { write(1, $0, strlen($0)) }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    private func writeAndKill(_ folder: TemporaryFolder, afterLines count: Int) throws -> [String] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        // The whole name: other modules have tests of this kind too, and must not run inside this process.
        process.arguments = [
            "--testing-library", "swift-testing", "--filter", #"^ObjectStorageTests\.KillTests/writer"#,
        ]
        process.environment = ProcessInfo.processInfo.environment.merging([writerFolder: folder.path]) { $1 }
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        var text = ""
        while text.split(separator: "\n").count < count {
            let piece = output.fileHandleForReading.availableData
            if piece.isEmpty { break }
            text += String(decoding: piece, as: UTF8.self)
        }
        kill(process.processIdentifier, SIGKILL)
        text += String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationReason == .uncaughtSignal)
        // A line that the kill cut is not an acknowledgement.
        let whole = text.hasSuffix("\n") ? text : String(text.prefix(upTo: text.lastIndex(of: "\n") ?? text.startIndex))
        return whole.split(separator: "\n").filter { $0.hasPrefix("acknowledged ") }.map { String($0.dropFirst(13)) }
    }
}

private let isWriter = ProcessInfo.processInfo.environment[writerFolder] != nil
