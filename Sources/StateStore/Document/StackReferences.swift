import JSONScan

extension StateDocument {
    /// What is recorded of the document beside its text.
    package var content: DocumentContent {
        var seen: Set<String> = []
        let names = (deployment?.resources ?? []).compactMap(\.stackReferenceName).filter { seen.insert($0).inserted }
        return DocumentContent(summary: summary, stackReferenceNames: names)
    }
}

extension StateResource {
    private static let stackReferenceType = TextNeedle("pulumi:pulumi:StackReference")

    /// The stack that a `StackReference` names; nil for any other resource.
    ///
    /// The engine keeps the name as an input, as an output and as the id.
    fileprivate var stackReferenceName: String? {
        // Its length is looked at first: this is asked of every resource of a state, and nearly none is one.
        guard let raw = value(.type), raw.count >= Self.stackReferenceType.bytes.count + 2, let type = text(.type),
            type.elementsEqual(Self.stackReferenceType.bytes), !flags.contains(.delete)
        else { return nil }
        for key in ["inputs", "outputs"] {
            guard let properties = JSONReading.member(key, of: bytes),
                let name = JSONReading.member("name", of: properties).flatMap({ JSONReading.text($0) }), !name.isEmpty
            else { continue }
            return name
        }
        return text(.id)?.asText
    }

    /// The same of a resource's text; most texts need not be read for it, because they do not hold the type.
    static func stackReferenceName(in text: ArraySlice<UInt8>) -> String? {
        guard stackReferenceType.isIn(text) else { return nil }
        return StateResource(text)?.stackReferenceName
    }
}
