/// What a save of an update does, by its sequence number (`spec/cli-protocol.md` §11.4).
package enum CheckpointSequence {
    /// The last save of an update.
    package struct Last: Sendable, Equatable {
        package var sequence: Int
        /// Lower-case hexadecimal SHA-256 of its text.
        package var hash: String

        package init(sequence: Int, hash: String) {
            self.sequence = sequence
            self.hash = hash
        }
    }

    package enum Action: Sendable, Equatable {
        case store
        /// A repeated or late request: answered, nothing changes.
        case ignore
        /// A gap, or nothing to apply it to: the client sends the whole text.
        case refuse
    }

    package static func verbatim(_ sequence: Int, after last: Last?) -> Action {
        sequence >= (last?.sequence ?? 0) ? .store : .ignore
    }

    package static func delta(_ sequence: Int, hash: String, after last: Last?) -> Action {
        guard let last else { return .refuse }
        if sequence == last.sequence { return hash == last.hash ? .ignore : .refuse }
        if sequence < last.sequence { return .ignore }
        return sequence == last.sequence + 1 ? .store : .refuse
    }
}
