import JSONScan

/// Replaces URNs that resources had under older names, and drops the aliases (`spec/cli-protocol.md` §12.8).
struct AliasNormalisation {
    private var newURNs: [TextKey: TextKey] = [:]

    /// Resources and snippets under their new URNs; nil when there is nothing to do, or when two resources claim one
    /// alias: such a list is kept as it is rather than failing the whole update.
    static func normalised(
        _ resources: [StateResource],
        snippets: ArraySlice<UInt8>?
    ) -> (resources: [StateResource], snippets: ArraySlice<UInt8>?)? {
        guard resources.contains(where: { $0.value(.aliases) != nil }) else { return nil }
        var normalisation = AliasNormalisation()
        for resource in resources {
            guard normalisation.learn(resource) else { return nil }
        }
        let newURNs = normalisation.newURNs
        let renaming = URNRenaming { newURNs[TextKey($0)]?.text }
        let changed = resources.map { renaming.apply(to: $0, keys: Self.renamedKeys, removing: .aliases) }
        return (changed, snippets.map { renaming.apply(toSnippets: $0) })
    }

    /// The reference leaves `replaceWith` alone.
    private static let renamedKeys: Set<ResourceKey> = [
        .urn, .parent, .provider, .dependencies, .propertyDependencies, .deletedWith, .viewOf,
    ]

    /// Notes what one resource was called before; false when another one claims the same alias.
    private mutating func learn(_ resource: StateResource) -> Bool {
        guard let urn = resource.text(.urn) else { return true }
        if let aliases = resource.value(.aliases) {
            for range in JSONElements(of: aliases) {
                guard let alias = JSONScalar.string(aliases[range]) else { continue }
                if let known = newURNs[TextKey(alias)], known != TextKey(urn) { return false }
                newURNs[TextKey(alias)] = TextKey(urn)
            }
        }
        learnNewParent(of: resource, urn)
        return true
    }

    /// A resource whose parent has a new name has a new qualified type.
    private mutating func learnNewParent(of resource: StateResource, _ urn: ArraySlice<UInt8>) {
        guard let parent = resource.text(.parent), let newParent = newURNs[TextKey(parent)], !newParent.text.isEmpty,
            let parentURN = URN(newParent.text), !parentURN.qualifiedType.elementsEqual(URN.rootType),
            var own = URN(urn)
        else { return }
        own.qualifiedType = ArraySlice(parentURN.qualifiedType + [UInt8(ascii: "$")] + own.type)
        newURNs[TextKey(urn)] = TextKey(own.text)
    }
}
