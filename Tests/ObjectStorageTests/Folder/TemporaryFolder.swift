import Foundation

/// A folder that is removed with everything in it when the test lets go of it.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "cairn-objects-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Every regular file below a folder of the store, as paths from it.
    func files(in name: String) -> [String] {
        let names = FileManager.default.enumerator(atPath: "\(path)/\(name)")?.compactMap { $0 as? String } ?? []
        return names.filter { file in
            var isFolder: ObjCBool = false
            let isThere = FileManager.default.fileExists(atPath: "\(path)/\(name)/\(file)", isDirectory: &isFolder)
            return isThere && !isFolder.boolValue
        }
    }

    /// The path of the file of the only object.
    var onlyObject: String? {
        let files = files(in: "objects")
        return files.count == 1 ? "\(path)/objects/\(files[0])" : nil
    }
}
