import Kernel
import Stacks

/// One attempt of a client to have something done.
struct Request: Sendable {
    /// What it would change if it were carried out.
    enum Intent: Sendable {
        case create(Content)
        case makeUpdate
        case start(isJournaled: Bool)
        case journal(UpdateID, [JournalStep], isConflict: Bool)
        /// A number for all but plain saves.
        case save(UpdateID, Content, sequence: Int?, isDelta: Bool)
        case end(UpdateID)
        case renew(UpdateID)
        case events(UpdateID, [Int64])
        case importState(Content)
        case rename
        case delete
        case restore
        case encrypt, decrypt, export
        case expiry, housekeeping
    }

    @TaskLocal static var current: Request?

    /// The same for every attempt at one operation.
    var operation: Int
    var attempt: Int
    /// The stack's place among those of the run.
    var slot: Int?
    var intent: Intent
    /// How many transactions were committed when it was sent.
    var sentAt: Int

    init(_ intent: Intent, operation: Int = 0, attempt: Int = 0, slot: Int? = nil, sentAt: Int = 0) {
        self.intent = intent
        self.operation = operation
        self.attempt = attempt
        self.slot = slot
        self.sentAt = sentAt
    }

    /// The update whose holder sends it.
    var update: UpdateID? {
        switch intent {
        case .journal(let id, _, _), .save(let id, _, _, _), .end(let id), .renew(let id), .events(let id, _): id
        default: nil
        }
    }

    /// What has happened once it is committed.
    var happening: Oracle.Happening? {
        switch intent {
        case .create: .create
        case .start: .start
        case .journal: .journal
        case .save(_, _, _, let isDelta): isDelta ? .delta : .save
        case .end: .end
        case .events: .events
        case .importState: .importState
        case .rename: .rename
        case .delete: .delete
        case .restore: .restore
        case .makeUpdate, .renew, .encrypt, .decrypt, .export, .expiry, .housekeeping: nil
        }
    }

    var name: String {
        switch intent {
        case .create: "create"
        case .makeUpdate: "make update"
        case .start(let isJournaled): isJournaled ? "start with a journal" : "start"
        case .journal(_, let steps, let isConflict):
            "\(isConflict ? "conflicting " : "")journal \(steps.map { String($0.sequence) }.joined(separator: ","))"
        case .save(_, _, let sequence, let isDelta):
            sequence.map { "\(isDelta ? "delta" : "verbatim") \($0)" } ?? "plain save"
        case .end: "end"
        case .renew: "renew"
        case .events(_, let numbers): "events \(numbers)"
        case .importState: "import"
        case .rename: "rename"
        case .delete: "delete"
        case .restore: "restore"
        case .encrypt: "encrypt"
        case .decrypt: "decrypt"
        case .export: "export"
        case .expiry: "expiry"
        case .housekeeping: "housekeeping"
        }
    }
}

/// How an attempt ended for its client.
enum Answer<Value: Sendable>: Sendable {
    case ok(Value)
    /// Try again: nobody knows what happened.
    case unknown(String)
    case refused(ServiceError)
}
