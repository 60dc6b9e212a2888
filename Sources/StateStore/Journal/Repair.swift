import JSONScan

/// Takes references to vanished resources out after a refresh (`spec/cli-protocol.md` §12.7, `cli-observed.md` 20).
enum Repair {
    /// `resources` in the same order; those without dangling references and empty entries keep their text.
    static func repaired(_ resources: [StateResource]) -> [StateResource] {
        var seen: Set<TextKey> = []
        seen.reserveCapacity(resources.count)
        let withoutDangling = resources.map { resource in
            let result = withoutUnknown(resource, seen)
            if let urn = resource.urnKey { seen.insert(urn) }
            return result
        }
        // Parents may stand anywhere in the list.
        return withoutDangling.map { resource in
            guard let parent = resource.text(.parent), !seen.contains(TextKey(parent)) else { return resource }
            let text = ObjectEdit.apply(to: resource.bytes) { key, _ in
                key.elementsEqual("parent".utf8) ? .remove : .keep
            }
            return resource.edited(text)
        }
    }

    private static func withoutUnknown(_ resource: StateResource, _ seen: Set<TextKey>) -> StateResource {
        let edits = ObjectEdit.edits(of: resource.bytes) { key, value in
            switch ResourceKey.find(key) {
            case .dependencies, .replaceWith:
                return list(value, seen)
            case .propertyDependencies:
                return map(value, seen)
            case .deletedWith:
                guard let target = JSONScalar.string(value) else { return .keep }
                return target.isEmpty || seen.contains(TextKey(target)) ? .keep : .remove
            default:
                return .keep
            }
        }
        return edits.isEmpty ? resource : resource.edited(ByteEdit.apply(edits, to: resource.bytes))
    }

    /// A list of URNs without unknown ones; gone when nothing is left of it.
    private static func list(_ value: ArraySlice<UInt8>, _ seen: Set<TextKey>) -> MemberEdit {
        guard value.first == UInt8(ascii: "[") else { return .keep }
        var removal = ItemRemoval()
        for range in JSONElements(of: value) {
            if let text = JSONScalar.string(value[range]), !seen.contains(TextKey(text)) {
                removal.remove(range)
            } else {
                removal.keep(range)
            }
        }
        removal.finish()
        guard removal.keptCount > 0 else { return .remove }
        return removal.edits.isEmpty ? .keep : .edit(removal.edits)
    }

    private static func map(_ value: ArraySlice<UInt8>, _ seen: Set<TextKey>) -> MemberEdit {
        guard value.first == UInt8(ascii: "{") else { return .keep }
        var isEmpty = true
        let edits = ObjectEdit.edits(of: value) { _, list in
            // A list of null is an empty one.
            let edit = JSONScalar.isNull(list) ? .remove : Self.list(list, seen)
            if case .remove = edit { return edit }
            isEmpty = false
            return edit
        }
        guard !isEmpty else { return .remove }
        return edits.isEmpty ? .keep : .edit(edits)
    }
}
