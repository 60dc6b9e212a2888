import Kernel
import Persistence

/// A stack as the database has it.
private struct StackRow {
    var id: String
    var name: String
    var isLive: Bool
    var version: Int
    var generation: Int
    var running: String?

    init(_ row: Row) throws {
        id = try row.text(0)
        name = try row.text(1)
        isLive = !row.isNull(2)
        version = try row.int(3)
        generation = try row.int(4)
        running = try row.optional(5, Row.text)
    }
}

extension Oracle {
    /// Finds out what a commit has made of the stacks, and whether it was allowed to.
    func compareStacks(_ request: Request?) throws {
        let rows = try database.oracle.all(
            "SELECT id, name, live, version, generation, running_update_id FROM stacks",
            StackRow.init
        )
        for row in rows {
            guard let stack = stacks[row.id] else {
                create(row, request)
                continue
            }
            guard
                row.name != stack.name || row.isLive != stack.isLive || row.version != stack.version
                    || row.generation != stack.generation || row.running != stack.running?.id
            else { continue }
            if row.generation < stack.generation { fail("a generation went back", request) }
            switch (stack.running, row.running) {
            case (nil, let id?): take(stack, by: id, row, request)
            case (let update?, nil): try release(stack, from: update, row, request)
            case (let update?, let id?) where update.id != id: fail("R-07: \(id) took what \(update.id) holds", request)
            case (_?, _?): fail("stack \(row.name) changed while an update holds it", request)
            case (nil, nil): change(stack, row, request)
            }
            stack.look(at: commits)
        }
    }

    private func create(_ row: StackRow, _ request: Request?) {
        guard let request, case .create(let content) = request.intent else {
            return fail("a stack that nobody made", request)
        }
        if stacks.values.contains(where: { $0.isLive && $0.name == row.name }) {
            fail("two stacks have the name \(row.name)", request)
        }
        let stack = StackModel(id: row.id, number: stacks.count, name: row.name, content: content)
        stacks[row.id] = stack
        note(request)
        stack.look(at: commits)
    }

    private func take(_ stack: StackModel, by id: String, _ row: StackRow, _ request: Request?) {
        guard let request, case .start(let isJournaled) = request.intent else {
            return fail("an update that nobody started", request)
        }
        if row.generation != stack.generation + 1 { fail("D4: the generation was not raised by one", request) }
        if row.version != stack.version || row.name != stack.name || !row.isLive {
            fail("a start changed more than it should", request)
        }
        let update = UpdateModel(
            id: id,
            stack: stack,
            generation: row.generation,
            version: stack.version + 1,
            isJournaled: isJournaled,
            startedAt: commits
        )
        if updates[id] != nil { fail("update \(id) started twice", request) }
        updates[id] = update
        stack.generation = row.generation
        stack.running = update
        note(request)
    }

    private func release(_ stack: StackModel, from update: UpdateModel, _ row: StackRow, _ request: Request?) throws {
        let status = try database.oracle.first("SELECT status FROM updates WHERE id = \(update.id)") { try $0.text(0) }
        if !["succeeded", "failed", "cancelled"].contains(status) {
            fail("the stack was taken from update \(update.id), which is \(status ?? "gone")", request)
        }
        if row.version != update.version || row.generation != stack.generation || !row.isLive || row.name != stack.name
        {
            fail("the end of an update changed more than it should", request)
        }
        update.isEnded = true
        update.endedAt = commits
        stack.running = nil
        stack.version = row.version
        stack.content = update.content ?? stack.content
        stack.versions[stack.version] = stack.content
        if let request, case .end = request.intent {
            note(request)
        } else {
            count(.expired)
            if let promise = update.promisedUntil, faults.clocksAreRight, time() < promise {
                fail("R-41: update \(update.id) was ended before its lease was over", request)
            }
        }
        trace.note(5, stack.number, stack.version, stack: request?.slot, "stack \(stack.name) is at rest")
    }

    private func change(_ stack: StackModel, _ row: StackRow, _ request: Request?) {
        guard let request else { return fail("a stack changed by itself") }
        switch request.intent {
        case .importState(let content):
            advance(stack, row, content, request)
        case .rename:
            guard row.name != stack.name else { return fail("a rename without a name", request) }
            stack.name = row.name
            if row.version == stack.version { break }
            advance(stack, row, Content(exact: nil, items: stack.content.items), request)
        case .delete:
            guard stack.isLive, !row.isLive, row.version == stack.version else { return fail("no deletion", request) }
            stack.isLive = false
            stack.generation = row.generation
        case .restore:
            guard !stack.isLive, row.isLive else { return fail("no restoration", request) }
            stack.isLive = true
            let isRenamed = row.name != stack.name
            stack.name = row.name
            if isRenamed, row.version != stack.version {
                advance(stack, row, Content(exact: nil, items: stack.content.items), request)
            }
        default:
            return fail("stack \(row.name) changed, which was not asked for", request)
        }
        if row.isLive != stack.isLive || row.name != stack.name || row.generation != stack.generation {
            fail("\(request.name) changed more than it should", request)
        }
        if stacks.values.contains(where: { $0 !== stack && $0.isLive && stack.isLive && $0.name == stack.name }) {
            fail("two stacks have the name \(stack.name)", request)
        }
        note(request)
        trace.note(5, stack.number, stack.version, stack: request.slot, "stack \(stack.name) is at rest")
    }

    private func advance(_ stack: StackModel, _ row: StackRow, _ content: Content, _ request: Request) {
        if row.version != stack.version + 1 { fail("a version was left out or used twice", request) }
        stack.version = row.version
        stack.content = content
        stack.versions[row.version] = content
    }
}
