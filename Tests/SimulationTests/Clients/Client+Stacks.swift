import Kernel
import Stacks

/// What is done to a stack as a whole.
extension Client {
    func create(_ slot: Int) async {
        let ref = world.names[slot]
        var content = Content.never()
        var state: [UInt8]?
        if chance(400) {
            let items = items(within(1...3))
            let text = Document.text(items, of: ref.name.rawValue, pad: pad)
            content = Content(exact: text, items: items)
            state = text
        }
        let creation = StackCreation(ref: ref, state: state)
        _ = await have(.create(content), slot) { services in
            try await services.stacks.create(creation, by: Installation.actor)
        }
    }

    func importState(into slot: Int) async {
        let ref = world.names[slot]
        let items = items(within(0...4))
        let text = Document.text(items, of: ref.name.rawValue, pad: pad)
        let body = body(text)
        _ = await have(.importState(Content(exact: text, items: items)), slot) { services in
            try await services.imports.importState(body, into: ref, by: Installation.actor)
        }
    }

    @discardableResult
    func export(_ slot: Int, of stack: StackRef? = nil) async -> [UInt8]? {
        let ref = stack ?? world.names[slot]
        let operation = world.newOperation()
        for attempt in 1...4 {
            let request = Request(.export, operation: operation, attempt: attempt, slot: slot, sentAt: oracle.commits)
            let machine = scheduler.numbers.pick(world.machines)
            switch await world.send(request, to: machine, { try await $0.reader.export(ref).text() }) {
            case .ok(let text):
                oracle.exported(text, of: ref.name.rawValue, request)
                return text
            case .refused(let error):
                oracle.refused(request, error)
                if error.code == .notFound { oracle.exported(nil, of: ref.name.rawValue, request) }
                return nil
            case .unknown:
                await scheduler.sleep(within(10_000...200_000))
            }
        }
        return nil
    }

    func rename(_ slot: Int) async {
        let old = world.names[slot]
        let new = Installation.ref("s\(slot)n\(world.newMark())")
        let answer = await have(.rename, slot) { services in
            try await services.renames.rename(old, to: new, by: Installation.actor)
        }
        switch answer {
        case .ok: world.names[slot] = new
        // It was done although the first answer was lost, or by somebody else.
        case .refused(let error) where error.code == .notFound: follow(slot)
        case .unknown: follow(slot)
        case .refused: break
        }
    }

    /// Looks which stack of this slot there is, as a person would in a list.
    func follow(_ slot: Int) {
        let live = oracle.inOrder().filter { $0.isLive && $0.isOf(slot) }.map(\.name)
        guard !live.contains(world.names[slot].name.rawValue), let name = live.last else { return }
        world.names[slot] = Installation.ref(name)
    }

    func delete(_ slot: Int) async {
        let ref = world.names[slot]
        _ = await have(.delete, slot) { services in
            try await services.stacks.delete(ref, force: true, by: Installation.actor)
        }
    }

    /// Brings the last deleted stack of the slot back, perhaps under another name.
    func restore(_ slot: Int) async {
        guard let stack = oracle.inOrder().last(where: { !$0.isLive && $0.isOf(slot) }), let id = StackID(stack.id)
        else { return await delete(slot) }
        let name = chance(500) ? nil : StackName(unchecked: "s\(slot)n\(world.newMark())")
        _ = await have(.restore, slot) { services in
            try await services.deleted.restore(id, as: name, in: Installation.organization, by: Installation.actor)
        }
        follow(slot)
    }

    func cancelAnother(_ slot: Int) async {
        guard let (update, ref) = world.lastUpdates[slot] else { return }
        _ = await have(.end(update), slot) { services in
            try await services.updates.cancel(update, of: ref, by: Installation.actor)
        }
    }

    // MARK: - Secrets

    func secrets(of slot: Int) async {
        guard let stack = oracle.inOrder().last(where: { $0.name == world.names[slot].name.rawValue }),
            let id = StackID(stack.id)
        else { return await create(slot) }
        if chance(500), let secret = stack.secrets.last {
            let answer = await have(.decrypt, slot) { services in
                try await services.secrets.decrypt(
                    [secret.ciphertext],
                    of: id,
                    action: .secretDecrypted,
                    by: Installation.actor
                )
            }
            switch answer {
            case .ok(let plain):
                if plain != [secret.plaintext] { oracle.fail("R-35: a secret is another one", slot: slot) }
            case .refused(let error):
                if stack.isLive { oracle.fail("R-34: a secret cannot be read: \(error.message)", slot: slot) }
            case .unknown:
                break
            }
        } else {
            let plaintext = Array("secret \(world.newMark())".utf8)
            let answer = await have(.encrypt, slot) { try await $0.secrets.encrypt([plaintext], of: id) }
            if case .ok(let ciphertexts) = answer, let first = ciphertexts.first {
                stack.secrets.append((first, plaintext))
            }
        }
    }
}
