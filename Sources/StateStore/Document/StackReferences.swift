import JSONScan

extension StateDocument {
    /// The names of other stacks that a state's `StackReference` resources read, as the program wrote them, each once.
    ///
    /// Resources about to be deleted count no more.
    package var stackReferenceNames: [String] {
        var seen: Set<String> = []
        return (deployment?.resources ?? []).compactMap(\.stackReferenceName).filter { seen.insert($0).inserted }
    }
}

extension StateResource {
    private static let stackReferenceType = Array("pulumi:pulumi:StackReference".utf8)

    /// The stack that a `StackReference` names; nil for any other resource.
    ///
    /// The engine keeps the name as an input, as an output and as the id.
    fileprivate var stackReferenceName: String? {
        guard let type = text(.type), type.elementsEqual(Self.stackReferenceType), !flags.contains(.delete) else {
            return nil
        }
        for key in ["inputs", "outputs"] {
            guard let properties = JSONReading.member(key, of: bytes),
                let name = JSONReading.member("name", of: properties).flatMap({ JSONReading.text($0) }), !name.isEmpty
            else { continue }
            return name
        }
        return text(.id)?.asText
    }
}
