import Foundation

/// The replay algorithm of `spec/cli-protocol.md` §12.6 to 12.8 and `cli-observed.md` 3, written down once more over
/// trees, as plainly as it can be said.
///
/// Slow on purpose; shares nothing with the product.
struct NaiveFold {
    struct Corrupt: Error {}

    struct Settings: Sendable {
        var time: String
        var version: String?
        var magic: @Sendable (String) -> String
    }

    private let settings: Settings
    private let document: Tree
    private var hasBase: Bool
    private var base: Tree
    private var new: [Tree] = []
    private var index: [Int: Int] = [:]
    private var dropNew: Set<Int> = []
    private var dropOld: Set<Int> = []
    private var delOld: Set<Int> = []
    private var pendOld: Set<Int> = []
    private var replOld: [Int: Tree] = [:]
    private var open: [Int: Tree] = [:]
    private var ext: [String: Tree] = [:]
    private var refreshed = false
    private var byteString = false

    /// The document after the entries so far.
    var result: Tree { document(generate()) }

    /// Number of resources that `removeOld` and its kin may name now.
    var baseCount: Int { baseResources.count }

    /// Operations whose resource later entries may name.
    var liveOperations: [Int] { index.keys.filter { !dropNew.contains($0) }.sorted() }

    init(_ document: Tree, _ settings: Settings) {
        self.document = document
        self.settings = settings
        hasBase = document["deployment"] != nil
        base = document["deployment"] ?? .object([:])
    }

    private var baseResources: [Tree] { base["resources"]?.list ?? [] }

    mutating func apply(_ entry: Tree) throws {
        if entry["requiresByteString"] == .bool(true) { byteString = true }
        let operation = entry["operationID"]?.int ?? 0
        switch entry["kind"]?.int {
        case 0: open[operation] = entry
        case 1: try success(entry, operation)
        case 2: open[operation] = nil
        case 3: try refresh(entry, operation)
        case 4: try outputs(entry)
        case 5:
            let snapshot = entry["newSnapshot"] ?? .object([:])
            let used = dropOld.union(delOld).union(pendOld).union(replOld.keys)
            guard used.allSatisfy({ $0 < snapshot["resources"]?.list.count ?? 0 }) else { throw Corrupt() }
            base = snapshot
            hasBase = true
        case 6:
            let provider = entry["secretsProvider"]
            let same =
                base["secrets_providers"]?["type"] == provider?["type"]
                && base["secrets_providers"]?["state"]?.canonical == provider?["state"]?.canonical
            if base["secrets_providers"] == nil || !same { base["secrets_providers"] = provider }
        case 7:
            base = generate()
            hasBase = true
            (new, index, dropNew, dropOld, delOld, pendOld, replOld, open, ext) = (
                [], [:], [], [], [], [], [:], [:], [:]
            )
        case 8: ext[entry["extensionRef"]?.text ?? ""] = entry["extension"]
        case 9: base["snippets"] = entry["snippets"]
        case 10: try migrate(entry)
        default: throw Corrupt()
        }
    }

    private func old(_ entry: Tree, _ key: String) throws -> Int? {
        guard let value = entry[key]?.int else { return nil }
        guard value >= 0, value < baseResources.count else { throw Corrupt() }
        return value
    }

    private func added(_ entry: Tree, _ key: String) throws -> Int? {
        guard let operation = entry[key]?.int else { return nil }
        guard index[operation] != nil else { throw Corrupt() }
        return operation
    }

    private mutating func success(_ entry: Tree, _ operation: Int) throws {
        open[operation] = nil
        if let state = entry["state"] {
            index[operation] = new.count
            new.append(state)
        }
        if let it = try old(entry, "removeOld") { dropOld.insert(it) }
        if let it = try added(entry, "removeNew") { dropNew.insert(it) }
        if let it = try old(entry, "deleteOld") { delOld.insert(it) }
        if let it = try added(entry, "deleteNew"), let p = index[it] { new[p]["delete"] = .bool(true) }
        if let it = try old(entry, "pendingReplacementOld") { pendOld.insert(it) }
        if let it = try added(entry, "pendingReplacementNew"), let p = index[it] {
            new[p]["pendingReplacement"] = .bool(true)
        }
        if entry["isRefresh"] == .bool(true) { refreshed = true }
    }

    private mutating func refresh(_ entry: Tree, _ operation: Int) throws {
        open[operation] = nil
        refreshed = true
        if let it = try old(entry, "removeOld") {
            if let state = entry["state"] { replOld[it] = state } else { dropOld.insert(it) }
        }
        if let it = try added(entry, "removeNew"), let p = index[it] {
            if let state = entry["state"] {
                new[p] = state
                index[operation] = p
            } else {
                dropNew.insert(it)
            }
        }
    }

    private mutating func outputs(_ entry: Tree) throws {
        guard let state = entry["state"] else { return }
        if let it = try old(entry, "removeOld") { replOld[it] = state }
        if let it = try added(entry, "removeNew"), let p = index[it] { new[p] = state }
    }

    /// Valid migrations only: the tests of refusals are written by hand.
    private mutating func migrate(_ entry: Tree) throws {
        for patch in entry["newStatePatches"]?.list ?? [] {
            guard let p = index[patch["operationID"]?.int ?? -1] else { throw Corrupt() }
            new[p] = patch["state"] ?? .null
        }
        var resources = baseResources
        for patch in entry["baseStatePatches"]?.list ?? [] {
            let it = patch["index"]?.int ?? 0
            resources[it] = patch["state"] ?? .null
            replOld[it] = nil
        }
        var list: [Tree] = []
        var moved: [Int: Int] = [:]
        for place in entry["layout"]?.list ?? [] {
            if let it = place["baseIndex"]?.int {
                moved[it] = list.count
                list.append(resources[it])
            } else {
                list.append(entry["states"]?.list[place["stateIndex"]?.int ?? 0] ?? .null)
            }
        }
        base["resources"] = .array(list)
        dropOld = Set(dropOld.compactMap { moved[$0] })
        delOld = Set(delOld.compactMap { moved[$0] })
        pendOld = Set(pendOld.compactMap { moved[$0] })
        replOld = Dictionary(uniqueKeysWithValues: replOld.compactMap { key, value in moved[key].map { ($0, value) } })
    }
}

// MARK: - Generate

extension NaiveFold {
    private func generate() -> Tree {
        let dropped = Set(dropNew.compactMap { index[$0] })
        var out = new.indices.filter { !dropped.contains($0) }.map { new[$0] }
        for (i, resource) in baseResources.enumerated() where !dropOld.contains(i) {
            if let replacement = replOld[i] {
                out.append(replacement)
                continue
            }
            var copy = resource
            if pendOld.contains(i) { copy["pendingReplacement"] = .bool(true) }
            if delOld.contains(i) { copy["delete"] = .bool(true) }
            out.append(copy)
        }
        var pending = open.keys.sorted().compactMap { open[$0]?["operation"] }
        pending += (base["pending_operations"]?.list ?? []).filter { $0["type"]?.text == "creating" }
        if refreshed { out = Self.repaired(out) }

        var body = base
        for key in ["resources", "pending_operations", "snippets", "extensions", "metadata"] { body[key] = nil }
        let version = settings.version ?? base["manifest"]?["version"]?.text ?? ""
        body["manifest"] = .object([
            "time": Tree(settings.time), "magic": Tree(version.isEmpty ? "" : settings.magic(version)),
            "version": Tree(version),
        ])
        body["metadata"] = base["metadata"] ?? .object([:])
        if !out.isEmpty { body["resources"] = .array(out) }
        if !pending.isEmpty { body["pending_operations"] = .array(pending) }
        if let snippets = base["snippets"], !snippets.isEmpty { body["snippets"] = snippets }
        var extensions = ext
        for (key, value) in base["extensions"]?.members ?? [:] { extensions[key] = value }
        if !extensions.isEmpty { body["extensions"] = .object(extensions) }
        return Self.normalised(body)
    }

    private func document(_ body: Tree) -> Tree {
        let known: Set = [
            "refreshBeforeUpdate", "views", "hooks", "taint", "replaceWith", "extensionParameterization",
            "snippets-prototype", "byteString",
        ]
        let stored = Set((document["features"]?.list ?? []).compactMap(\.text))
        var features = stored.subtracting(known)
        let resources = body["resources"]?.list ?? []
        let pending = (body["pending_operations"]?.list ?? []).compactMap { $0["resource"] }
        for resource in resources + pending {
            if resource["refreshBeforeUpdate"] == .bool(true) { features.insert("refreshBeforeUpdate") }
            if resource["viewOf"] != nil { features.insert("views") }
            if resource["resourceHooks"]?.isEmpty == false { features.insert("hooks") }
            if resource["taint"] == .bool(true) { features.insert("taint") }
            if resource["replaceWith"]?.isEmpty == false { features.insert("replaceWith") }
            if resource["extensionRef"] != nil { features.insert("extensionParameterization") }
            if resource["snippetID"] != nil { features.insert("snippets-prototype") }
        }
        if byteString || stored.contains("byteString"), !(resources + pending).isEmpty { features.insert("byteString") }
        if body["snippets"] != nil { features.insert("snippets-prototype") }
        var result = document
        result["version"] = .number(features.isEmpty ? "3" : "4")
        result["features"] = features.isEmpty ? nil : .array(features.sorted().map { Tree($0) })
        result["deployment"] = body
        return result
    }

    private static func repaired(_ resources: [Tree]) -> [Tree] {
        var seen: Set<String> = []
        var out: [Tree] = []
        for var resource in resources {
            for key in ["dependencies", "replaceWith"] {
                guard let list = resource[key]?.list else { continue }
                let kept = list.filter { seen.contains($0.text ?? "") }
                resource[key] = kept.isEmpty ? nil : .array(kept)
            }
            if let map = resource["propertyDependencies"]?.members {
                let kept = map.mapValues { $0.list.filter { seen.contains($0.text ?? "") } }.filter {
                    !$0.value.isEmpty
                }
                resource["propertyDependencies"] = kept.isEmpty ? nil : .object(kept.mapValues { .array($0) })
            }
            if let target = resource["deletedWith"]?.text, !target.isEmpty, !seen.contains(target) {
                resource["deletedWith"] = nil
            }
            if let urn = resource["urn"]?.text { seen.insert(urn) }
            out.append(resource)
        }
        for i in out.indices {
            if let parent = out[i]["parent"]?.text, !seen.contains(parent) { out[i]["parent"] = nil }
        }
        return out
    }

    private static func normalised(_ body: Tree) -> Tree {
        let resources = body["resources"]?.list ?? []
        var map: [String: String] = [:]
        guard resources.contains(where: { $0["aliases"] != nil }) else { return body }
        for resource in resources {
            guard let urn = resource["urn"]?.text else { continue }
            for alias in (resource["aliases"]?.list ?? []).compactMap(\.text) {
                if let known = map[alias], known != urn { return body }
                map[alias] = urn
            }
            guard let parent = resource["parent"]?.text, let newParent = map[parent], !newParent.isEmpty else {
                continue
            }
            let parentParts = newParent.components(separatedBy: "::")
            let parts = urn.components(separatedBy: "::")
            guard parentParts.count >= 4, parts.count >= 4, parentParts[2] != "pulumi:pulumi:Stack" else { continue }
            let type = parts[2].components(separatedBy: "$").last ?? ""
            map[urn] = ([parts[0], parts[1], "\(parentParts[2])$\(type)"] + parts[3...]).joined(separator: "::")
        }
        func fix(_ tree: Tree) -> Tree { tree.text.flatMap { map[$0] }.map { Tree($0) } ?? tree }
        func fixAll(_ list: Tree) -> Tree { .array(list.list.map { fix($0) }) }
        var out = body
        out["resources"] = .array(
            resources.map { resource in
                var copy = resource
                for key in ["urn", "parent", "deletedWith", "viewOf"] { copy[key] = copy[key].map { fix($0) } }
                if let provider = copy["provider"]?.text, let border = provider.range(of: "::", options: .backwards) {
                    let urn = String(provider[..<border.lowerBound])
                    copy["provider"] = Tree((map[urn] ?? urn) + provider[border.lowerBound...])
                }
                copy["dependencies"] = copy["dependencies"].map { fixAll($0) }
                if let map = copy["propertyDependencies"]?.members {
                    copy["propertyDependencies"] = .object(map.mapValues { fixAll($0) })
                }
                copy["aliases"] = nil
                return copy
            }
        )
        if let snippets = body["snippets"]?.list {
            out["snippets"] = .array(
                snippets.map { snippet in
                    var copy = snippet
                    if let map = copy["references"]?.members { copy["references"] = .object(map.mapValues { fix($0) }) }
                    return copy
                }
            )
        }
        return out
    }
}
