import Compression
import Events
import Kernel
import Persistence
import Stacks

/// What must hold once everything works again and everybody has gone home.
struct FinalCheck {
    let world: World
    let services: Services
    private var oracle: Oracle { world.oracle }

    init(_ world: World, _ services: Services) {
        self.world = world
        self.services = services
    }

    func run() async {
        do {
            for stack in oracle.inOrder() where stack.isLive { try await check(stack) }
            try await checkObjects()
            let broken = try await services.database.read { tx in
                try AuditLog(effects: Effects(now: { Timestamp(seconds: 0) }, randomBytes: { _ in [] })).firstBreak(
                    in: .organization(Installation.organization),
                    tx: tx
                )
            }
            if let broken { oracle.fail("the audit log is broken at \(broken)") }
        } catch {
            oracle.fail("the last check broke: \(error)")
        }
    }

    private func check(_ stack: StackModel) async throws {
        if stack.running != nil { oracle.fail("\(stack.name) is still held") }
        let ref = Installation.ref(stack.name)
        let request = Request(.export, slot: nil, sentAt: oracle.commits)
        oracle.exported(try await services.reader.export(ref).text(), of: stack.name, request)
        for (version, content) in stack.versions.sorted(by: { $0.key < $1.key }) {
            let text = try await services.reader.export(ref, version: version).text()
            if !content.matches(text, Document.items(of: text)) {
                oracle.fail("R-36: version \(version) of \(stack.name) is not what was saved")
            }
        }
        guard let id = StackID(stack.id) else { return }
        for secret in stack.secrets {
            let action = AuditAction.secretDecrypted
            let plain = try await services.secrets.decrypt(
                [secret.ciphertext],
                of: id,
                action: action,
                by: Installation.actor
            )
            if plain != [secret.plaintext] { oracle.fail("R-35: a secret of \(stack.name) is another one") }
        }
        for update in oracle.updates.values.sorted(by: { $0.startedAt < $1.startedAt }) where update.stack === stack {
            try await checkEvents(of: update, ref)
        }
    }

    private func checkEvents(of update: UpdateModel, _ ref: StackRef) async throws {
        guard !update.events.isEmpty, let id = UpdateID(update.id) else { return }
        var found: [Int64] = []
        var after: Int64?
        repeat {
            let page = try await services.events.page(of: id, ref: ref, after: after, urn: nil, limit: 7)
            found += page.events.compactMap(Self.number)
            after = page.next
        } while after != nil
        if found != update.events.sorted() {
            oracle.fail("R-06: update \(update.id) shows events \(found) of \(update.events.sorted())")
        }
    }

    private static func number(_ event: [UInt8]) -> Int64? {
        let text = String(decoding: event, as: UTF8.self)
        guard let start = text.firstRange(of: #""sequence":"#)?.upperBound else { return nil }
        return Int64(text[start...].prefix { $0.isNumber })
    }

    /// Every object that a row names is there, and after a day nothing else.
    private func checkObjects() async throws {
        world.shift += 26 * 3600 * 1_000_000
        // A round that began before the day was over forgets what the first of these has found.
        for _ in 0..<3 {
            try await services.cleanUp()
            await world.scheduler.sleep(3_100_000_000)
        }
        var named: Set<String> = []
        for table: SQL in [
            "state_versions", "update_checkpoints", "update_deltas", "journal_segments", "event_segments",
        ] {
            let keys = try world.database.oracle.all("SELECT object FROM \(table) WHERE object IS NOT NULL") {
                try $0.text(0)
            }
            for key in keys where !world.bucket.isDurable(key) {
                oracle.fail("R-16: \(table.text) names \(key), which is not there")
            }
            named.formUnion(keys)
        }
        for key in world.bucket.items.keys.sorted() where !named.contains(key) {
            oracle.fail("R-17: nobody names \(key), and it is still there")
        }
    }
}

extension StateExport {
    /// The whole text, as a client has it in the end.
    func text() async throws -> [UInt8] {
        switch self {
        case .text(let text):
            return text
        case .gzip(let pieces):
            var bytes: [UInt8] = []
            for try await piece in pieces { bytes += piece }
            return try Gzip.gunzip(bytes[...], limit: 1 << 24)
        }
    }
}
