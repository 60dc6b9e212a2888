import JSONScan

/// Gives URNs new names inside of raw text; all other bytes stay.
struct URNRenaming {
    /// The new name of a URN, nil when it keeps its name.
    private let newName: (ArraySlice<UInt8>) -> ArraySlice<UInt8>?

    init(_ newName: @escaping (ArraySlice<UInt8>) -> ArraySlice<UInt8>?) {
        self.newName = newName
    }

    private func newURN(_ urn: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard let name = newName(urn), name != urn else { return nil }
        return name
    }

    /// A resource with the members `keys` renamed and the member `removed` taken out.
    func apply(to resource: StateResource, keys: Set<ResourceKey>, removing removed: ResourceKey?) -> StateResource {
        let edits = edits(of: resource.bytes, keys: keys, removing: removed)
        return edits.isEmpty ? resource : resource.edited(ByteEdit.apply(edits, to: resource.bytes))
    }

    /// The edits of one resource's text.
    func edits(
        of resource: ArraySlice<UInt8>,
        keys: Set<ResourceKey>,
        removing removed: ResourceKey? = nil
    ) -> [ByteEdit] {
        ObjectEdit.edits(of: resource) { key, value in
            guard let key = ResourceKey.find(key) else { return .keep }
            if key == removed { return .remove }
            guard keys.contains(key) else { return .keep }
            let edits =
                switch key {
                case .provider: providerEdits(value)
                case .propertyDependencies: mapEdits(value)
                case .dependencies, .replaceWith, .aliases: listEdits(value)
                default: textEdits(value)
                }
            return edits.isEmpty ? .keep : .edit(edits)
        }
    }

    /// The snippets' `references`, whose values are URNs.
    func apply(toSnippets list: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        ByteEdit.apply(snippetEdits(list), to: list)
    }

    func snippetEdits(_ list: ArraySlice<UInt8>) -> [ByteEdit] {
        JSONElements(of: list).flatMap { range in
            ObjectEdit.edits(of: list[range]) { key, value in
                guard key.elementsEqual("references".utf8) else { return .keep }
                let edits = JSONMembers(of: value).flatMap { textEdits(value[$0.value]) }
                return edits.isEmpty ? .keep : .edit(edits)
            }
        }
    }

    /// One string that is a URN.
    func textEdits(_ value: ArraySlice<UInt8>) -> [ByteEdit] {
        guard let text = JSONScalar.string(value), let new = newURN(text) else { return [] }
        return [ByteEdit(value.startIndex..<value.endIndex, ArraySlice(JSONText.encode(new)))]
    }

    private func providerEdits(_ value: ArraySlice<UInt8>) -> [ByteEdit] {
        guard let text = JSONScalar.string(value), let reference = ProviderReference(text),
            let new = newURN(reference.urn)
        else { return [] }
        let whole = new + Array("::".utf8) + reference.id
        return [ByteEdit(value.startIndex..<value.endIndex, ArraySlice(JSONText.encode(whole)))]
    }

    private func listEdits(_ value: ArraySlice<UInt8>) -> [ByteEdit] {
        JSONElements(of: value).flatMap { textEdits(value[$0]) }
    }

    private func mapEdits(_ value: ArraySlice<UInt8>) -> [ByteEdit] {
        JSONMembers(of: value).flatMap { listEdits(value[$0.value]) }
    }
}
