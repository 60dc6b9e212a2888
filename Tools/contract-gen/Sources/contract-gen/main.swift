import ContractGen
import Foundation

/// Writes the generated files of a working copy and removes those that are not generated any more.
func generate(root: String) throws {
    let folder = "\(root)/Sources/Contract/Generated"
    let contract = try String(contentsOfFile: "\(root)/Contract/contract.json", encoding: .utf8)
    let overrides = try String(contentsOfFile: "\(root)/Contract/overrides.json", encoding: .utf8)
    let files = try Generator.files(contract: contract, overrides: overrides)

    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for name in try FileManager.default.contentsOfDirectory(atPath: folder) where files[name] == nil {
        try FileManager.default.removeItem(atPath: "\(folder)/\(name)")
    }
    for (name, text) in files {
        let path = "\(folder)/\(name)"
        // An unchanged file keeps its date, so that nothing is built again because of it.
        guard (try? String(contentsOfFile: path, encoding: .utf8)) != text else { continue }
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }
    let lines = files.values.reduce(0) { $0 + $1.utf8.count { $0 == UInt8(ascii: "\n") } }
    FileHandle.standardOutput.write(Data("\(files.count) files, \(lines) lines\n".utf8))
}

guard CommandLine.arguments.count == 2 else {
    FileHandle.standardError.write(Data("usage: contract-gen <root of the working copy>\n".utf8))
    exit(64)
}
do {
    try generate(root: CommandLine.arguments[1])
} catch {
    FileHandle.standardError.write(Data("contract-gen: \(error)\n".utf8))
    exit(1)
}
