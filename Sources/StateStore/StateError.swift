package import JSONScan
package import Kernel

/// Why the pure core refuses a state, a delta or a journal.
///
/// Nothing has changed when one of these is thrown.
package enum StateError: Error, Equatable {
    /// The text is not JSON, or not JSON of the expected shape.
    case malformed(ScanError)
    /// A value breaks a rule of the protocol.
    ///
    /// `path` names it as seen from the body.
    case invalid(path: String, problem: String)
    /// A delta does not fit the text it is meant for; the CLI then sends the whole text.
    case deltaRefused(String)
    /// The same sequence number came before with another content.
    case sequenceConflict(Int64)
    /// Entries that cannot be replayed; `sequenceID` is that of the first bad one.
    case journalCorrupt(sequenceID: Int64, problem: String)
}

extension StateError {
    /// The refusal a client sees.
    package var serviceError: ServiceError {
        switch self {
        case .malformed(let error):
            return error.serviceError
        case .invalid(let path, let problem):
            return .invalid(path, problem)
        case .deltaRefused(let problem):
            let message = "Bad Request: failed to apply checkpoint delta or validate its checksum: \(problem)"
            return ServiceError(.invalidArgument, message, cause: self)
        case .sequenceConflict(let id):
            return ServiceError(
                .conflict,
                "Conflict: journal entry \(id) was sent before with other content",
                cause: self
            )
        case .journalCorrupt(let id, let problem):
            let message = "Conflict: the journal cannot be replayed: entry \(id): \(problem)"
            return ServiceError(.conflict, message, cause: self)
        }
    }
}
