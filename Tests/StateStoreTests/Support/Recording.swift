import Compression
import Foundation
import StateStore

/// Recorded traffic of real clients, which lies outside of the repository.
enum Recordings {
    /// The folder named by `CAIRN_SHARED`, or `../shared` beside the repository; nil when neither is there.
    static let folder: URL? = {
        var candidates: [URL] = []
        if let named = ProcessInfo.processInfo.environment["CAIRN_SHARED"] {
            candidates.append(URL(fileURLWithPath: named))
        }
        let root = URL(fileURLWithPath: #filePath).appending(path: "../../../..").standardized
        candidates.append(root.appending(path: "../shared").standardized)
        return candidates.map { $0.appending(path: "recordings") }
            .first { FileManager.default.fileExists(atPath: $0.appending(path: "INDEX.tsv").path) }
    }()

    /// Names of the recordings that hold uploads of one kind; their index tells the mode.
    static func names(inModes modes: Set<String>) -> [String] {
        guard let folder, let index = try? String(contentsOf: folder.appending(path: "INDEX.tsv"), encoding: .utf8)
        else {
            return []
        }
        return index.split(separator: "\n").dropFirst().compactMap { line in
            let fields = line.split(separator: "\t")
            return fields.count > 2 && modes.contains(String(fields[2])) ? String(fields[0]) : nil
        }
    }

    static func exchanges(of name: String) throws -> [Exchange] {
        guard let folder else { return [] }
        let plain = folder.appending(path: "\(name).jsonl")
        let text =
            FileManager.default.fileExists(atPath: plain.path)
            ? [UInt8](try Data(contentsOf: plain))
            : try Gzip.gunzip([UInt8](Data(contentsOf: plain.appendingPathExtension("gz")))[...], limit: 1 << 30)
        return try text.split(separator: UInt8(ascii: "\n")).compactMap { line in
            let row = try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any]
            return row?["type"] as? String == "exchange" ? row.flatMap(Exchange.init) : nil
        }
    }

    /// One request and its answer.
    struct Exchange {
        var sequence: Int
        var method: String
        /// Path without query.
        var path: [String]
        var request: String
        var answer: String
        /// Whether the server acted on it.
        var succeeded: Bool

        init?(_ row: [String: Any]) {
            guard let method = row["method"] as? String, let path = row["path"] as? String else { return nil }
            sequence = row["seq"] as? Int ?? 0
            self.method = method
            self.path = path.split(separator: "?")[0].split(separator: "/").map(String.init)
            request = row["requestBody"] as? String ?? ""
            answer = row["responseBody"] as? String ?? ""
            let status = row["status"] as? Int
            succeeded = status.map { $0 < 300 } ?? (row["fault"] as? String == "drop-after")
        }

        /// `org/project/stack` when the path is one of a stack.
        var stack: String? {
            path.count >= 5 && path[1] == "stacks" ? path[2...4].joined(separator: "/") : nil
        }

        /// What follows the stack in the path.
        var tail: [String] { path.count > 5 ? Array(path[5...]) : [] }
    }

    /// The parts of a document that a server must reproduce, as the replay tool compares them.
    static func comparable(_ document: Tree) -> Tree {
        var body = document["deployment"] ?? .object([:])
        body["manifest"] = nil
        if body["metadata"]?.isEmpty == true { body["metadata"] = nil }
        for key in ["url", "owner"] where body["secrets_providers"]?["state"]?[key] != nil {
            body["secrets_providers"]?["state"]?[key] = nil
        }
        if body["secrets_providers"]?["state"]?.isEmpty == true { body["secrets_providers"]?["state"] = nil }
        for key in ["resources", "pending_operations"] where body[key]?.isEmpty == true { body[key] = nil }
        if let pending = body["pending_operations"]?.list {
            body["pending_operations"] = .array(pending.sorted { $0.canonical < $1.canonical })
        }
        return .object([
            "version": document["version"] ?? .null,
            "features": .array((document["features"]?.list ?? []).compactMap(\.text).sorted().map { Tree($0) }),
            "deployment": body.withoutCiphertexts,
        ])
    }
}

extension Tree {
    /// A server may encrypt anew, so ciphertexts are all the same.
    fileprivate var withoutCiphertexts: Tree {
        switch self {
        case .array(let items):
            return .array(items.map(\.withoutCiphertexts))
        case .object(let members):
            if let kind = members["4dabf18193072939515e22adb298388d"], members["ciphertext"] != nil {
                return .object(["4dabf18193072939515e22adb298388d": kind, "ciphertext": Tree("*")])
            }
            return .object(members.mapValues(\.withoutCiphertexts))
        default:
            return self
        }
    }

    /// The first place where two trees differ.
    func difference(from other: Tree, at path: String = "") -> String? {
        switch (self, other) {
        case (.object(let left), .object(let right)):
            for key in Set(left.keys).union(right.keys).sorted() {
                guard let one = left[key], let two = right[key] else {
                    return "\(path)/\(key) is \(left[key] == nil ? "missing" : "not expected")"
                }
                if let difference = one.difference(from: two, at: "\(path)/\(key)") { return difference }
            }
            return nil
        case (.array(let left), .array(let right)):
            guard left.count == right.count else { return "\(path) has \(left.count) items, not \(right.count)" }
            for (index, pair) in zip(left, right).enumerated() {
                if let difference = pair.0.difference(from: pair.1, at: "\(path)[\(index)]") { return difference }
            }
            return nil
        default:
            return self == other ? nil : "\(path): \(canonical.prefix(100)) instead of \(other.canonical.prefix(100))"
        }
    }
}
