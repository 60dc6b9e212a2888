/// A place in the bodies of `spec/cli-protocol.md` §8, §11 and §12 whose members or elements are cut out one by one.
package enum Part: UInt8, Sendable {
    /// `{"version":…,"features":[…],"deployment":{…}}`, and the body of a plain checkpoint, which has the same keys.
    case document
    /// `{"version":…,"untypedDeployment":{…},"sequenceNumber":…}`.
    case verbatim
    /// `{"version":…,"checkpointHash":…,"sequenceNumber":…,"deploymentDelta":[…]}`.
    case delta
    /// `{"entries":[…]}`.
    case journal
    /// The body of a deployment (§8.2).
    case deployment
    case resources
    case pendingOperations
    /// The edits of a delta.
    case edits
    /// The entries of a journal batch.
    case entries

    /// Whether the part is an object, whose members are cut; otherwise it is a list, whose elements are.
    var isObject: Bool {
        switch self {
        case .document, .verbatim, .delta, .journal, .deployment: true
        case .resources, .pendingOperations, .edits, .entries: false
        }
    }

    /// The part that a member of this object is, if it is one.
    func child(_ key: String) -> Part? {
        switch (self, key) {
        case (.document, "deployment"): .deployment
        case (.verbatim, "untypedDeployment"): .document
        case (.delta, "deploymentDelta"): .edits
        case (.journal, "entries"): .entries
        case (.deployment, "resources"): .resources
        case (.deployment, "pending_operations"): .pendingOperations
        default: nil
        }
    }
}

/// What `Cutter` found.
///
/// Offsets count bytes from the beginning of the whole text.
package enum Cut: Sendable, Equatable {
    /// The bracket at `offset` opens `part`.
    case opened(Part, offset: Int)
    /// The bracket that closes `part` is the byte before `end`.
    case closed(Part, end: Int)
    /// A member of an object; one whose value is a part itself appears as `opened` to `closed` instead.
    case member(Part, key: String, value: ArraySlice<UInt8>, offset: Int)
    /// An element of a list.
    case element(Part, value: ArraySlice<UInt8>, offset: Int)
}
