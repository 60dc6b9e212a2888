import JSONScan

/// The rules whose breach makes the CLI refuse a state (`spec/cli-protocol.md` §8.6).
///
/// The service reports a breach and stores the state all the same: it may be the only trace of real resources.
package struct IntegrityCheck {
    private let deployment: Deployment
    private var seen: Set<TextKey> = []
    private var providers: Set<TextKey> = []
    private var duplicates: [TextKey: (all: Int, deleted: Int)] = [:]

    private init(_ deployment: Deployment) {
        self.deployment = deployment
        seen.reserveCapacity(deployment.resources.count)
    }

    /// The first breach in list order, in words; nil for a sound state.
    package static func firstProblem(of deployment: Deployment, hash: HashMaker) -> String? {
        if let problem = manifestProblem(deployment, hash) { return problem }
        var check = IntegrityCheck(deployment)
        // A span lends its elements: copying thousands of resources costs more than looking at them.
        let resources = deployment.resources.span
        for index in resources.indices {
            if let problem = check.problem(of: resources[index]) { return problem }
        }
        guard !check.duplicates.isEmpty else { return snippetProblem(deployment) }
        for resource in deployment.resources {
            guard let urn = resource.urnKey, let count = check.duplicates[urn] else { continue }
            if count.all - count.deleted > 1 {
                return
                    "duplicate resource \(urn.text.asText) (\(count.all - count.deleted) of \(count.all) not marked for deletion)"
            }
        }
        return snippetProblem(deployment)
    }

    /// `magic` is the SHA-256 of `version`, or both are empty.
    private static func manifestProblem(_ deployment: Deployment, _ hash: HashMaker) -> String? {
        var version: ArraySlice<UInt8> = []
        var magic: ArraySlice<UInt8> = []
        if let manifest = deployment.value("manifest") {
            version = JSONReading.member("version", of: manifest).flatMap { JSONScalar.string($0) } ?? []
            magic = JSONReading.member("magic", of: manifest).flatMap { JSONScalar.string($0) } ?? []
        }
        let expected = version.isEmpty ? "" : hexadecimalHash(of: [version], hash)
        return magic.elementsEqual(expected.utf8)
            ? nil : "magic cookie mismatch; possible tampering or corruption detected"
    }

    private mutating func problem(of resource: StateResource) -> String? {
        guard let urn = resource.urnKey else { return "a resource has no URN" }
        let urnText = urn.text
        guard resource.text(.type) != nil else { return "resource \(urnText.asText) has no type" }
        if !resource.flags.contains(.custom), resource.text(.id) != nil {
            return "component resource \(urnText.asText) has an ID"
        }
        if resource.flags.contains(.provider) {
            guard URN(urnText) != nil else { return "provider \(urnText.asText) has an invalid URN" }
            let id = resource.text(.id) ?? ProviderReference.unknownID[...]
            providers.insert(TextKey(ArraySlice(urnText + Array("::".utf8) + id)))
        }
        if let problem = providerProblem(of: resource, urnText) { return problem }
        var dangling: (Reference, TextKey)?
        resource.forEachReference { reference, target in
            guard reference == .viewOf || seen.contains(target) else {
                dangling = (reference, target)
                return false
            }
            return true
        }
        if let (reference, target) = dangling { return describe(reference, target, urnText) }
        note(urn, resource)
        return nil
    }

    private func providerProblem(of resource: StateResource, _ urn: ArraySlice<UInt8>) -> String? {
        guard let provider = resource.text(.provider) else { return nil }
        guard let reference = ProviderReference(provider), URN(reference.urn) != nil else {
            return "resource \(urn.asText) has an invalid provider reference \(provider.asText)"
        }
        guard providers.contains(TextKey(provider)) || resource.flags.contains(.pendingReplacement) else {
            return "resource \(urn.asText) refers to unknown provider \(provider.asText)"
        }
        return nil
    }

    private mutating func note(_ urn: TextKey, _ resource: StateResource) {
        let deleted = resource.flags.contains(.delete) ? 1 : 0
        if seen.insert(urn).inserted {
            if deleted == 1 { duplicates[urn] = (1, 1) }
        } else {
            let count = duplicates[urn] ?? (1, 0)
            duplicates[urn] = (count.all + 1, count.deleted + deleted)
        }
    }

    private func describe(_ reference: Reference, _ target: TextKey, _ urn: ArraySlice<UInt8>) -> String {
        let role =
            switch reference {
            case .parent: "parent"
            case .provider: "provider"
            case .dependency: "dependency"
            case .deletedWith: "deleted-with resource"
            case .replaceWith: "replace-with resource"
            case .viewOf: "viewed resource"
            case .property(let key): "dependency of property \(JSONText.decode(key).asText)"
            }
        let comesLater = deployment.resources.contains { $0.text(.urn) == target.text }
        let problem = comesLater ? "comes after it" : "is missing"
        return "resource \(urn.asText): its \(role) \(target.text.asText) \(problem)"
    }

    /// Snippets have a `uuid` each, all different.
    private static func snippetProblem(_ deployment: Deployment) -> String? {
        guard let list = deployment.value("snippets") else { return nil }
        var known: Set<TextKey> = []
        for range in JSONElements(of: list) {
            let snippet = list[range]
            let uuid = JSONReading.member("uuid", of: snippet)
            guard let text = uuid.flatMap({ JSONScalar.string($0) }), !text.isEmpty else {
                return "a snippet has no UUID"
            }
            guard known.insert(TextKey(text)).inserted else { return "duplicate snippet \(text.asText)" }
        }
        return nil
    }
}
