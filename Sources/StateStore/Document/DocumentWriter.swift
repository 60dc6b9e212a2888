import JSONScan

/// A stretch of a document's text: something around the lists, or one list's elements.
package enum DocumentSegment: Sendable {
    case envelope([UInt8])
    /// Never empty; between the elements stands one comma.
    case resources([StateResource])
    case pendingOperations([PendingOperation])
}

extension StateDocument {
    /// The document's text in order: what we write ourselves is compact, every span is as it came.
    ///
    /// Empty lists are left out, as the CLI does.
    package func segments() -> [DocumentSegment] {
        var writer = SegmentWriter()
        writer.text(#"{"version":\#(version)"#)
        if !features.isEmpty {
            let list = features.map { String(decoding: JSONText.encode($0), as: UTF8.self) }.joined(separator: ",")
            writer.text(#","features":[\#(list)]"#)
        }
        for member in others { writer.member(member, isFirst: false) }
        writer.text(#","deployment":"#)
        if let deployment {
            writer.deployment(deployment)
        } else {
            writer.text("null")
        }
        writer.text("}")
        return writer.finish()
    }

    /// Bytes of all elements of the two lists, which are nearly all of a large text.
    package var listByteCount: Int {
        guard let deployment else { return 0 }
        let resources = deployment.resources.reduce(0) { $0 + $1.bytes.count }
        return deployment.pendingOperations.reduce(resources) { $0 + $1.bytes.count }
    }

    /// The document's whole text.
    package func text() -> [UInt8] {
        let segments = segments()
        let separators = resourceCount + (deployment?.pendingOperations.count ?? 0)
        var result: [UInt8] = []
        result.reserveCapacity(segments.reduce(separators) { $0 + $1.byteCount })
        for segment in segments { segment.append(to: &result) }
        return result
    }
}

extension DocumentSegment {
    fileprivate var byteCount: Int {
        switch self {
        case .envelope(let text): text.count
        case .resources(let list): list.reduce(0) { $0 + $1.bytes.count }
        case .pendingOperations(let list): list.reduce(0) { $0 + $1.bytes.count }
        }
    }

    fileprivate func append(to text: inout [UInt8]) {
        switch self {
        case .envelope(let bytes): text += bytes
        case .resources(let list): Self.join(list.lazy.map(\.bytes), into: &text)
        case .pendingOperations(let list): Self.join(list.lazy.map(\.bytes), into: &text)
        }
    }

    private static func join(_ items: some Sequence<ArraySlice<UInt8>>, into text: inout [UInt8]) {
        var isFirst = true
        for item in items {
            if !isFirst { text.append(UInt8(ascii: ",")) }
            isFirst = false
            text += item
        }
    }
}

private struct SegmentWriter {
    /// Members that stand before the lists; all others follow them.
    private static let leading: Set<String> = ["manifest", "secrets_providers"]

    private var segments: [DocumentSegment] = []
    private var pending: [UInt8] = []

    mutating func text(_ text: String) {
        pending += text.utf8
    }

    mutating func member(_ member: StateDocument.Member, isFirst: Bool) {
        if !isFirst { pending.append(UInt8(ascii: ",")) }
        pending += JSONText.encode(member.key)
        pending.append(UInt8(ascii: ":"))
        pending += member.value
    }

    mutating func deployment(_ deployment: Deployment) {
        text("{")
        var isFirst = true
        for value in deployment.members where Self.leading.contains(value.key) {
            member(value, isFirst: isFirst)
            isFirst = false
        }
        if !deployment.resources.isEmpty {
            list("resources", .resources(deployment.resources), isFirst: isFirst)
            isFirst = false
        }
        if !deployment.pendingOperations.isEmpty {
            list("pending_operations", .pendingOperations(deployment.pendingOperations), isFirst: isFirst)
            isFirst = false
        }
        for value in deployment.members where !Self.leading.contains(value.key) {
            member(value, isFirst: isFirst)
            isFirst = false
        }
        text("}")
    }

    mutating func finish() -> [DocumentSegment] {
        flush()
        return segments
    }

    private mutating func list(_ key: String, _ elements: DocumentSegment, isFirst: Bool) {
        text((isFirst ? "" : ",") + "\"\(key)\":[")
        flush()
        segments.append(elements)
        text("]")
    }

    private mutating func flush() {
        if !pending.isEmpty { segments.append(.envelope(pending)) }
        pending = []
    }
}
