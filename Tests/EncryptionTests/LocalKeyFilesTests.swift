import Crypto
import Encryption
import Foundation
import Kernel
import Testing

@Suite("Files with master keys")
final class LocalKeyFilesTests {
    private let folder = NSTemporaryDirectory() + "cairn-keys-\(UUID().uuidString)"
    private static let raw = [UInt8](1...31) + [0x0A]
    private static let text = Array("0123456789abcdefghijklmnopqrstuv".utf8)

    init() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: folder)
    }

    private func write(_ bytes: [UInt8], _ name: String = "key", mode: Int = 0o600) throws -> String {
        let path = "\(folder)/\(name)"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        return path
    }

    private func bytes(_ key: SecretBytes) -> [UInt8] { key.withUnsafeBytes { Array($0) } }

    @Test(
        "are taken as they are at 32 bytes, and without a line end when they are longer",
        arguments: [
            (raw, raw), (text, text), (text + [0x0A], text), (text + [0x0D, 0x0A], text),
            (text + [0x20], text + [0x20]),
            (text + [0x0A, 0x0A], text + [0x0A]), (text + text, text + text), (raw + [0x0A], raw),
        ]
    )
    func taken(content: [UInt8], key: [UInt8]) throws {
        let path = try write(content)

        let found = try LocalKeyFiles.load(path)
        let inFolder = try LocalKeyFiles.load(folder)

        #expect(bytes(found.current) == key)
        #expect(bytes(inFolder.current) == key)
        #expect(found.older.isEmpty && found.warnings.isEmpty)
    }

    @Test(
        "are refused with the reason, never with the content",
        arguments: [
            ([], "has 0 bytes; a key has 32 or more"), ([1], "has 1 bytes; a key has 32 or more"),
            (Array(1...31), "has 31 bytes; a key has 32 or more"),
            ([UInt8](repeating: 0, count: 32), "repeats a few bytes"),
            ((0..<32).map { $0 % 4 }, "repeats a few bytes"),
            ([UInt8](repeating: 65, count: 100) + [10], "repeats a few bytes"),
            ([UInt8](repeating: 0, count: 4097), "has more than 4096 bytes; it is no key"),
        ] as [([UInt8], String)]
    )
    func refused(content: [UInt8], reason: String) throws {
        let path = try write(content)

        let error = #expect(throws: LocalKeyFiles.Problem.self) { try LocalKeyFiles.load(path) }

        #expect(error?.description.hasPrefix("\(path) \(reason)") == true)
    }

    @Test("of a folder: the last by name is current, the others are older; hidden ones and folders do not count")
    func folderOfKeys() throws {
        let keys = (0..<3).map { _ in Random.bytes(32) }
        _ = try write(keys[1], "b")
        _ = try write(keys[2], "c")
        _ = try write(keys[0], "a")
        _ = try write([1], ".hidden")
        try FileManager.default.createDirectory(atPath: "\(folder)/z", withIntermediateDirectories: false)

        let found = try LocalKeyFiles.load(folder)

        #expect(bytes(found.current) == keys[2])
        #expect(found.older.map(bytes) == [keys[0], keys[1]])
    }

    @Test("are found through the links of a mounted secret")
    func mountedSecret() throws {
        try FileManager.default.createDirectory(atPath: "\(folder)/..2026", withIntermediateDirectories: false)
        try Data(Self.text).write(to: URL(fileURLWithPath: "\(folder)/..2026/key"))
        #expect(symlink("..2026", "\(folder)/..data") == 0)
        #expect(symlink("..data/key", "\(folder)/key") == 0)

        #expect(bytes(try LocalKeyFiles.load(folder).current) == Self.text)
        #expect(bytes(try LocalKeyFiles.load("\(folder)/key").current) == Self.text)
    }

    @Test("that others can read are warned about", arguments: [0o644, 0o640, 0o604])
    func permissions(mode: Int) throws {
        let path = try write(Self.text, mode: mode)

        let octal = String(mode, radix: 8)
        #expect(
            try LocalKeyFiles.load(path).warnings == [
                "\(path) has mode 0\(octal); only its owner should be able to read it"
            ]
        )
    }

    @Test("that are not there or are no files are named")
    func noFile() throws {
        let missing = "\(folder)/missing"

        #expect(throws: LocalKeyFiles.Problem.self) { try LocalKeyFiles.load("/dev/zero") }
        let empty = #expect(throws: LocalKeyFiles.Problem.self) { try LocalKeyFiles.load(folder) }
        #expect(empty?.description.hasPrefix("\(folder) is a folder without a key file") == true)
        let error = #expect(throws: LocalKeyFiles.Problem.self) { try LocalKeyFiles.load(missing) }
        #expect(error?.description.hasPrefix("\(missing): No such file or directory") == true)
    }

    @Test("are made once, whole, for the owner only, and never replaced")
    func made() throws {
        let keys = "\(folder)/keys"

        #expect(try LocalKeyFiles.makeKey(in: keys))
        let first = bytes(try LocalKeyFiles.load(keys).current)
        #expect(try !LocalKeyFiles.makeKey(in: keys))

        #expect(bytes(try LocalKeyFiles.load(keys).current) == first)
        #expect(first.count == 32)
        #expect(try FileManager.default.contentsOfDirectory(atPath: keys) == [LocalKeyFiles.generatedName])
        let path = "\(keys)/\(LocalKeyFiles.generatedName)"
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        #expect(try FileManager.default.attributesOfItem(atPath: keys)[.posixPermissions] as? Int == 0o700)
    }

    @Test("are one key when many processes start at once")
    func race() async throws {
        let keys = "\(folder)/keys"

        let made = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<16 { group.addTask { try LocalKeyFiles.makeKey(in: keys) } }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }

        #expect(made == 1)
        #expect(try FileManager.default.contentsOfDirectory(atPath: keys) == [LocalKeyFiles.generatedName])
    }

    @Test("are not made where there is no folder to make them in")
    func noPlace() {
        #expect(throws: LocalKeyFiles.Problem.self) { try LocalKeyFiles.makeKey(in: "\(folder)/no/such") }
    }
}
