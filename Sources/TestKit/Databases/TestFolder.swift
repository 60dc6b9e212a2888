import Foundation
import Synchronization

/// Folders for tests, in memory where the system has such a place.
package enum TestFolder {
    private static let number = Atomic<Int>(0)

    private static let root: String = {
        let memory = "/dev/shm"
        return FileManager.default.isWritableFile(atPath: memory) ? memory : NSTemporaryDirectory()
    }()

    /// A new, empty folder.
    package static func make() throws -> String {
        let next = number.add(1, ordering: .relaxed).newValue
        let path = "\(root)/cairn-test-\(ProcessInfo.processInfo.processIdentifier)-\(next)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    package static func remove(_ path: String) throws {
        try FileManager.default.removeItem(atPath: path)
    }

    /// Runs `body` with a folder that is gone afterwards.
    package static func with<Result>(_ body: (String) async throws -> Result) async throws -> Result {
        let folder = try make()
        do {
            let result = try await body(folder)
            try remove(folder)
            return result
        } catch {
            try remove(folder)
            throw error
        }
    }
}
