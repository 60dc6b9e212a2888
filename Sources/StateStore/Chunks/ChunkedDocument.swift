import JSONScan

/// A stretch of a stored version's text, as far as it was read by itself: chunks are read side by side.
package enum ReadPart: Sendable {
    case text(ArraySlice<UInt8>)
    /// The resources of a chunk.
    case resources([StateResource])

    /// Reads the text of a chunk.
    package init(_ chunk: Manifest.Chunk, text: ArraySlice<UInt8>) throws(StateError) {
        guard chunk.resourceCount > 0 else {
            self = .text(text)
            return
        }
        // Behind each element but the list's last one stands its comma, with white space around it.
        var elements = text
        while let last = elements.last, last <= UInt8(ascii: " ") { elements.removeLast() }
        if elements.last == UInt8(ascii: ",") { elements.removeLast() }
        var resources: [StateResource] = []
        resources.reserveCapacity(chunk.resourceCount)
        let pieces = [[UInt8(ascii: "[")][...], elements, [UInt8(ascii: "]")][...]]
        try CutLoop.run(pieces, as: .resources) { cut throws(StateError) in
            guard case .element(.resources, let value, _) = cut else { return }
            guard let resource = StateResource(value) else {
                throw .invalid(path: "deployment.resources", problem: "must hold objects")
            }
            resources.append(resource)
        }
        self = .resources(resources)
    }
}

extension StateDocument {
    /// Puts the parts of a stored version together, which are its text in order.
    package init(_ parts: [ReadPart]) throws(StateError) {
        var envelope: [ArraySlice<UInt8>] = []
        var resources: [StateResource] = []
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
