import Kernel

extension Oracle {
    /// What was answered with success has happened.
    func confirmed(_ request: Request) {
        switch request.intent {
        case .create, .start, .importState, .rename, .delete, .restore:
            if !done.contains(request.operation) { fail("D1: answered, but not done", request) }
        case .journal(let id, let steps, let isConflict):
            if isConflict { fail("D6: another content under a number that is taken was accepted", request) }
            for step in steps where updates[id.description]?.steps[step.sequence]?.text != step.text {
                fail("D1: entry \(step.sequence) was acknowledged and is not there", request)
            }
        case .save(let id, _, let sequence, _):
            guard let update = updates[id.description] else { return fail("a save of no update", request) }
            let isReplaced = sequence.map { $0 < update.sequence } ?? false
            if !isReplaced, !update.saves.contains(request.operation) {
                fail("D1: a save was acknowledged and is not there", request)
            }
        case .end(let id):
            if updates[id.description]?.isEnded != true { fail("D1: an end was acknowledged and is none", request) }
        case .events(let id, let numbers):
            if updates[id.description]?.events.isSuperset(of: numbers) != true {
                fail("D1: events were acknowledged and are not there", request)
            }
        case .makeUpdate, .renew, .encrypt, .decrypt, .export, .expiry, .housekeeping:
            break
        }
    }

    /// A holder was told until when it has its stack.
    func promised(_ end: Timestamp, to id: UpdateID) {
        guard let update = updates[id.description] else { return }
        update.promisedUntil = max(update.promisedUntil ?? end, end)
    }

    /// A holder was told with the start what its update begins from.
    func told(_ text: [UInt8], asBaseOf id: UpdateID) {
        guard let base = updates[id.description]?.base else { return fail("update \(id) was begun and is not there") }
        if !base.matches(text, Document.items(of: text)) {
            fail("R-36: update \(id) was told another state than its base")
        }
    }

    /// What was refused has not happened, and was refused with reason.
    func refused(_ request: Request, _ error: ServiceError) {
        if error.code == .internalError { return fail("the server broke: \(error.message)", request) }
        if effects.contains(Attempt(operation: request.operation, attempt: request.attempt)) {
            fail("refused (\(error.message)), but done", request)
        }
        guard let id = request.update, let update = updates[id.description] else { return }
        // The way back from a difference is a whole save, whatever the reason.
        if case .save(_, _, _, let isDelta) = request.intent, isDelta, error.code == .invalidArgument { return }
        if case .journal(_, _, let isConflict) = request.intent, isConflict, error.code == .conflict {
            return count(.refusedConflict)
        }
        let ran = update.startedAt <= request.sentAt && update.endedAt == nil
        if update.isEnded { count(.refusedAfterEnd) }
        if ran { fail("refused (\(error.message)), although update \(id) runs", request) }
    }

    /// An export shows what the stack was at some moment between question and answer.
    ///
    /// - Parameter text: nil for a stack that was not found.
    func exported(_ text: [UInt8]?, of name: String, _ request: Request) {
        let windows = inOrder().map { stack in
            (stack, stack.views(between: request.sentAt, and: commits))
        }
        guard let text else {
            let always = windows.contains { _, views in !views.isEmpty && views.allSatisfy { $0.name == name } }
            let from = windows.contains { stack, views in
                views.first.map { $0.since <= request.sentAt } == true && views.allSatisfy { $0.name == name }
            }
            if always, from { fail("\(name) was not found, although it is there", request) }
            return
        }
        let items = Document.items(of: text)
        let candidates = windows.flatMap { $0.1 }.filter { $0.name == name }
        guard candidates.contains(where: { $0.content.matches(text, items) }) else {
            let wanted = candidates.map { "\($0.content.items.map { "\($0.name)=\($0.mark)" })" }
            return fail(
                "R-36: \(name) shows \(items.map { "\($0.name)=\($0.mark)" }), legal are \(wanted)",
                request
            )
        }
        if stacks.values.contains(where: { $0.name == name && $0.running?.content != nil }) {
            count(.exportWhileRunning)
        }
        if candidates.count == 1, let only = candidates.first, only.content.exact == nil { only.content.exact = text }
    }
}
