/// A stretch of a stored version's text, as far as it was read by itself: chunks are read side by side.
package enum ReadPart: Sendable {
    case text(ArraySlice<UInt8>)
    /// The resources of a chunk.
    case resources([StateResource])

    fileprivate var resourceCount: Int {
        if case .resources(let list) = self { list.count } else { 0 }
    }

    /// Reads the text of a chunk.
    ///
    /// It was checked when it was cut and is the same to the byte, so its structure is only walked through.
    package init(_ chunk: Manifest.Chunk, text: ArraySlice<UInt8>) throws(StateError) {
        guard chunk.resourceCount > 0 else {
            self = .text(text)
            return
        }
        var resources: [StateResource] = []
        resources.reserveCapacity(chunk.resourceCount)
        var rest = text
        while let start = rest.firstIndex(where: { $0 > UInt8(ascii: " ") && $0 != UInt8(ascii: ",") }) {
            guard let resource = StateResource(beginning: rest[start...]) else { break }
            resources.append(resource)
            rest = rest[resource.bytes.endIndex...]
        }
        guard resources.count == chunk.resourceCount else {
            throw .invalid(path: "deployment.resources", problem: "are not as many as the manifest says")
        }
        self = .resources(resources)
    }
}

extension StateDocument {
    /// Puts the parts of a stored version together, which are its text in order.
    package init(_ parts: [ReadPart]) throws(StateError) {
        var envelope: [ArraySlice<UInt8>] = []
        var resources: [StateResource] = []
        resources.reserveCapacity(parts.reduce(0) { $0 + $1.resourceCount })
        for part in parts {
            switch part {
            case .text(let text): envelope.append(text)
            case .resources(let list): resources += list
            }
        }
        try self.init(reading: envelope)
        guard !resources.isEmpty else { return }
        for index in resources.indices { resources[index].origin = index }
        deployment?.resources = resources
    }
}
