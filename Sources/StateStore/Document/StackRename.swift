import JSONScan

/// Rewrites a state for a stack's new names (`spec/cli-protocol.md` §6.6): only URNs of the old stack and project, and
/// the service's own secrets provider, change; all other bytes stay.
package struct StackRename: Sendable {
    private let old: StackNames
    private let new: StackNames

    package init(from old: StackNames, to new: StackNames) {
        self.old = old
        self.new = new
    }

    /// The document's text under the new names.
    package func apply(to text: ArraySlice<UInt8>) throws(StateError) -> ArraySlice<UInt8> {
        let document = try StateDocument(reading: text)
        guard let deployment = document.deployment else { return text }
        // Every span is a slice of the one text, so its indices are those of the text.
        var edits = deployment.resources.flatMap { self.edits(of: $0.bytes) }
        edits += deployment.pendingOperations.flatMap { self.edits(of: $0.resourceBytes) }
        for member in deployment.members {
            switch member.key {
            case "secrets_providers": edits += providerEdits(member.value)
            case "snippets": edits += renaming.snippetEdits(member.value)
            default: break
            }
        }
        edits.sort { $0.range.lowerBound < $1.range.lowerBound }
        return ByteEdit.apply(edits, to: text)
    }

    /// The new name of a URN; nil for one of another stack or project, and for text that is no URN.
    package func renamed(urn text: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard var urn = URN(text), urn.stack.elementsEqual(old.stack.utf8), urn.project.elementsEqual(old.project.utf8)
        else { return nil }
        urn.stack = ArraySlice(new.stack.utf8)
        urn.project = ArraySlice(new.project.utf8)
        if urn.qualifiedType.elementsEqual(URN.rootType) { urn.name = ArraySlice("\(new.project)-\(new.stack)".utf8) }
        return urn.text
    }

    private static let keys: Set<ResourceKey> = [
        .urn, .parent, .dependencies, .propertyDependencies, .provider, .aliases, .deletedWith, .replaceWith, .viewOf,
    ]

    private var renaming: URNRenaming {
        URNRenaming { renamed(urn: $0) }
    }

    private func edits(of resource: ArraySlice<UInt8>) -> [ByteEdit] {
        var edits = renaming.edits(of: resource, keys: Self.keys)
        for member in JSONMembers(of: resource) {
            let key = JSONText.decode(resource[member.key])
            if ["inputs", "outputs", "replacementTrigger"].contains(where: { key.elementsEqual($0.utf8) }) {
                edits += propertyEdits(resource[member.value])
            }
        }
        return edits
    }

    /// Resource references at any depth, and those inside the JSON text of secrets that are not encrypted.
    private func propertyEdits(_ value: ArraySlice<UInt8>) -> [ByteEdit] {
        var edits: [ByteEdit] = []
        SpecialValues.forEach(in: value) { special in
            switch special.kind {
            case .resourceReference:
                if let urn = special.urn { edits += renaming.textEdits(urn) }
            case .secret:
                guard let raw = special.plaintext, let plaintext = JSONScalar.string(raw) else { return }
                var inner = propertyEdits(plaintext)
                guard !inner.isEmpty else { return }
                inner.sort { $0.range.lowerBound < $1.range.lowerBound }
                let text = JSONText.encode(ByteEdit.apply(inner, to: plaintext))
                edits.append(ByteEdit(raw.startIndex..<raw.endIndex, text[...]))
            }
        }
        return edits
    }

    private func providerEdits(_ value: ArraySlice<UInt8>) -> [ByteEdit] {
        guard let provider = SecretsProvider(value), provider.type == "service", let state = provider.state else {
            return []
        }
        let names = ["owner": new.organization, "project": new.project, "stack": new.stack]
        return ObjectEdit.edits(of: state) { key, value in
            guard let name = names[key.asText], JSONScalar.string(value) != nil else { return .keep }
            return .edit([ByteEdit(value.startIndex..<value.endIndex, ArraySlice(JSONText.encode(name)))])
        }
    }
}
