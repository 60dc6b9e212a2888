import JSONScan

/// Gives a state the names of its stack after a rename (`spec/cli-protocol.md` §6.6). Nothing else of it changes.
package struct StateRename: Sendable {
    package struct Name: Sendable, Equatable {
        package var project: String
        package var stack: String

        package init(project: String, stack: String) {
            self.project = project
            self.stack = stack
        }
    }

    private static let renamedKeys: Set<ResourceKey> = [
        .urn, .parent, .provider, .dependencies, .propertyDependencies, .deletedWith, .replaceWith, .viewOf, .aliases,
    ]

    private let old: Name
    private let new: Name

    package init(from old: Name, to new: Name) {
        self.old = old
        self.new = new
    }

    /// The state under the new names.
    package func apply(to document: StateDocument) -> StateDocument {
        guard var deployment = document.deployment else { return document }
        let renaming = URNRenaming { self.newURN($0) }
        deployment.resources = deployment.resources.map { resource in
            let named = renaming.apply(to: resource, keys: Self.renamedKeys, removing: nil)
            let edits = valueEdits(named.bytes)
            return edits.isEmpty ? named : named.edited(ByteEdit.apply(edits, to: named.bytes))
        }
        deployment.pendingOperations = deployment.pendingOperations.map { rename($0, renaming) }
        deployment.members = deployment.members.map { member in
            var member = member
            switch member.key {
            case "secrets_providers": member.value = renameProvider(member.value)
            case "snippets": member.value = renaming.apply(toSnippets: member.value)
            default: break
            }
            return member
        }
        var result = document
        result.deployment = deployment
        return result
    }

    /// The URN under the new names, nil when it names another stack or project.
    private func newURN(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard var urn = URN(text), urn.stack.elementsEqual(old.stack.utf8), urn.project.elementsEqual(old.project.utf8)
        else { return nil }
        urn.stack = ArraySlice(new.stack.utf8)
        urn.project = ArraySlice(new.project.utf8)
        if urn.qualifiedType.elementsEqual(URN.rootType) { urn.name = ArraySlice("\(new.project)-\(new.stack)".utf8) }
        return urn.text
    }

    private func rename(_ operation: PendingOperation, _ renaming: URNRenaming) -> PendingOperation {
        let text = ObjectEdit.apply(to: operation.bytes) { key, value in
            guard key.elementsEqual("resource".utf8) else { return .keep }
            let edits = renaming.edits(of: value, keys: Self.renamedKeys) + valueEdits(value)
            return .edit(edits.sorted { $0.range.lowerBound < $1.range.lowerBound })
        }
        return PendingOperation(text) ?? operation
    }

    /// `state.project` and `state.stack` of the service's own provider; the owner does not change.
    private func renameProvider(_ value: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard let provider = SecretsProvider(value), provider.type == "service",
            provider.stateText("project") == old.project, provider.stateText("stack") == old.stack
        else { return value }
        return ObjectEdit.apply(to: value) { key, state in
            guard key.elementsEqual("state".utf8), state.first == UInt8(ascii: "{") else { return .keep }
            return .edit(
                ObjectEdit.edits(of: state) { key, value in
                    let replacement: String
                    switch key.asText {
                    case "project": replacement = new.project
                    case "stack": replacement = new.stack
                    default: return .keep
                    }
                    return .edit([ByteEdit(value.startIndex..<value.endIndex, JSONText.encode(replacement)[...])])
                }
            )
        }
    }
}

// MARK: - References inside of values

extension StateRename {
    private static let signature = Array("4dabf18193072939515e22adb298388d".utf8)
    private static let reference = Array("5cf8f73096256a8f31e491e813e4eb8e".utf8)
    private static let secret = Array("1b47061264138c4ac30d75fd1eb44270".utf8)
    private static let valueKeys: Set<String> = ["inputs", "outputs", "replacementTrigger"]

    /// Edits of resource references in the values of one resource.
    private func valueEdits(_ resource: ArraySlice<UInt8>) -> [ByteEdit] {
        JSONMembers(of: resource).flatMap { member -> [ByteEdit] in
            Self.valueKeys.contains(resource[member.key].asText) ? referenceEdits(resource[member.value]) : []
        }
    }

    private func referenceEdits(_ value: ArraySlice<UInt8>) -> [ByteEdit] {
        switch value.first {
        case UInt8(ascii: "{"): return objectEdits(value)
        case UInt8(ascii: "["): return JSONElements(of: value).flatMap { referenceEdits(value[$0]) }
        default: return []
        }
    }

    private func objectEdits(_ object: ArraySlice<UInt8>) -> [ByteEdit] {
        let members = Array(JSONMembers(of: object))
        let mark = members.first { object[$0.key].elementsEqual(Self.signature) }
            .flatMap { JSONScalar.string(object[$0.value]) }
        guard let mark else { return members.flatMap { referenceEdits(object[$0.value]) } }
        if mark.elementsEqual(Self.reference) {
            return members.filter { object[$0.key].elementsEqual("urn".utf8) }.flatMap { member -> [ByteEdit] in
                URNRenaming { self.newURN($0) }.textEdits(object[member.value])
            }
        }
        if mark.elementsEqual(Self.secret) {
            return members.filter { object[$0.key].elementsEqual("plaintext".utf8) }.flatMap { member in
                plaintextEdits(object[member.value])
            }
        }
        return members.flatMap { referenceEdits(object[$0.value]) }
    }

    /// A secret in plain text is the JSON text of its value, as a string.
    private func plaintextEdits(_ value: ArraySlice<UInt8>) -> [ByteEdit] {
        guard let text = JSONScalar.string(value) else { return [] }
        guard (try? Cutter.cut(text, as: .deployment)) != nil || text.first == UInt8(ascii: "[") else { return [] }
        let edits = referenceEdits(text)
        guard !edits.isEmpty else { return [] }
        let renamed = ByteEdit.apply(edits, to: text)
        return [ByteEdit(value.startIndex..<value.endIndex, JSONText.encode(renamed)[...])]
    }
}
