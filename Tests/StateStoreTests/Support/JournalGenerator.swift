import NoiseTestKit

/// Makes up a base and a journal over it, the same for the same seed.
struct JournalGenerator {
    /// What one seed gives.
    struct Journal {
        var base: Tree
        var entries: [Tree]
        /// Whether an entry points to nothing.
        var isCorrupt: Bool
        /// What the plainly written fold makes of them.
        var expected: Tree
    }

    static let settings = NaiveFold.Settings(
        time: "1970-01-01T00:00:00Z",
        version: "v3.274.1",
        magic: TestHash.hexadecimal
    )

    private var noise: Noise
    private var model: NaiveFold
    private var entries: [Tree] = []
    private var operation = 0
    private var isCorrupt = false

    static func journal(seed: UInt64) -> Journal {
        var noise = Noise(seed: seed)
        let base = Self.document(&noise)
        var generator = JournalGenerator(noise: noise, model: NaiveFold(base, settings))
        generator.run()
        return Journal(
            base: base,
            entries: generator.entries,
            isCorrupt: generator.isCorrupt,
            expected: generator.model.result
        )
    }

    private init(noise: Noise, model: NaiveFold) {
        self.noise = noise
        self.model = model
    }

    private mutating func run() {
        if !noise.oneIn(4) { add(["kind": .number("6"), "secretsProvider": Self.provider(&noise)]) }
        if noise.oneIn(8) { add(["kind": .number("5"), "newSnapshot": Self.body(&noise)]) }
        let steps = noise.below(14)
        let bad = noise.oneIn(12) ? noise.below(steps + 1) : -1
        for step in 0..<steps {
            if step == bad { spoil() } else { self.step() }
            if isCorrupt { return }
        }
    }

    // MARK: Entries

    private mutating func add(_ fields: [String: Tree]) {
        var entry = Tree.object(fields)
        // Numbers are increasing, but not every one is there.
        let last = entries.last?["sequenceID"]?.int ?? 0
        entry["sequenceID"] = .number("\(last + 1 + (noise.oneIn(10) ? noise.below(3) : 0))")
        entry["version"] = .number("1")
        entry["operationID"] = entry["operationID"] ?? .number("0")
        for key in ["removeOld", "removeNew"] where entry[key] == nil { entry[key] = .null }
        if noise.oneIn(60) { entry["requiresByteString"] = .bool(true) }
        if noise.oneIn(20) { entry["futureField"] = Tree("ignored") }
        entries.append(entry)
        do {
            try model.apply(entry)
        } catch {
            isCorrupt = true
        }
    }

    private mutating func step() {
        operation += 1
        let op = Tree.number("\(operation)")
        switch noise.below(16) {
        case 0, 1:
            begin(op, "creating")
            add(["kind": .number("1"), "operationID": op, "state": resource()])
        case 2, 3, 4:
            begin(op, noise.pick(["updating", "reading", nil]))
            var fields = target("remove")
            fields["state"] = resource()
            end(op, fields)
        case 5:
            begin(op, "deleting")
            end(op, target("remove"))
        case 6:
            begin(op, "deleting")
            end(op, target("pendingReplacement"))
        case 7:
            begin(op, noise.pick(["creating", "importing"]))
            var fields = target("delete")
            fields["state"] = resource()
            end(op, fields)
        case 8, 9:
            begin(op, nil)
            var fields = target("remove")
            if noise.oneIn(2) { fields["state"] = resource() }
            fields["kind"] = .number("3")
            fields["isRefresh"] = .bool(true)
            end(op, fields)
        case 10:
            var fields = target("remove")
            fields["state"] = resource()
            fields["kind"] = .number("4")
            end(op, fields)
        case 11:
            begin(op, "updating")
            add(["kind": .number("2"), "operationID": op, "state": resource()])
        case 12:
            begin(op, noise.pick(["creating", "updating", "deleting", nil]))
        case 13:
            add(["kind": .number("7")])
        case 14:
            let name = noise.pick(["ext1", "ext2", "ext3"])
            let value = Tree.object(["name": Tree(name), "version": .number("\(noise.below(5))")])
            add(["kind": .number("8"), "operationID": op, "extensionRef": Tree(name), "extension": value])
        default:
            let list = Self.snippets(&noise)
            add(noise.oneIn(3) ? ["kind": .number("9")] : ["kind": .number("9"), "snippets": list])
        }
    }

    private mutating func begin(_ op: Tree, _ type: String?) {
        var fields: [String: Tree] = ["kind": .number("0"), "operationID": op]
        if let type { fields["operation"] = .object(["resource": resource(), "type": Tree(type)]) }
        add(fields)
    }

    private mutating func end(_ op: Tree, _ fields: [String: Tree]) {
        var fields = fields
        fields["operationID"] = op
        if fields["kind"] == nil { fields["kind"] = .number("1") }
        if noise.oneIn(25) { fields["isRefresh"] = .bool(true) }
        add(fields)
    }

    /// A pointer to some resource, or none when there is none.
    private mutating func target(_ kind: String) -> [String: Tree] {
        let live = model.liveOperations
        if model.baseCount > 0, live.isEmpty || !noise.oneIn(3) {
            return ["\(kind)Old": .number("\(noise.below(model.baseCount))")]
        }
        return live.isEmpty ? [:] : ["\(kind)New": .number("\(noise.pick(live))")]
    }

    /// An entry that points to nothing.
    private mutating func spoil() {
        operation += 1
        let kind = noise.pick(["remove", "delete", "pendingReplacement"])
        let old = Tree.number("\(model.baseCount + noise.below(3))")
        let new = Tree.number("\(operation + 100)")
        var fields = noise.oneIn(2) ? ["\(kind)Old": old] : ["\(kind)New": new]
        fields["state"] = resource()
        end(.number("\(operation)"), fields)
    }

    private mutating func resource() -> Tree {
        Self.resource(&noise)
    }
}

// MARK: - States

extension JournalGenerator {
    private static func urn(_ noise: inout Noise) -> String {
        let type = noise.pick(["pulumi:pulumi:Stack", "pkg:m:A", "pkg:m:A$pkg:m:B", "pkg:m:B", "pulumi:providers:pkg"])
        return "urn:pulumi:dev::shop::\(type)::\(noise.pick(["a", "b", "<c>&", "é😀", "x::y"]))"
    }

    private static func urns(_ noise: inout Noise) -> Tree {
        .array((0..<noise.below(3)).map { _ in Tree(urn(&noise)) })
    }

    private static func resource(_ noise: inout Noise) -> Tree {
        let urn = urn(&noise)
        var resource = Tree.object([
            "urn": Tree(urn), "custom": .bool(noise.oneIn(2)), "type": Tree("pkg:m:A"),
            "inputs": value(&noise, depth: 0), "unique": .number("\(noise.next())"),
        ])
        if noise.oneIn(2) { resource["parent"] = Tree(self.urn(&noise)) }
        if noise.oneIn(2) { resource["dependencies"] = urns(&noise) }
        if noise.oneIn(3) { resource["provider"] = Tree("\(self.urn(&noise))::id-\(noise.below(2))") }
        if noise.oneIn(3) {
            resource["propertyDependencies"] = .object(["p": urns(&noise), "q": urns(&noise)])
        }
        if noise.oneIn(8) { resource["deletedWith"] = Tree(self.urn(&noise)) }
        if noise.oneIn(8) { resource["replaceWith"] = urns(&noise) }
        if noise.oneIn(14) { resource["viewOf"] = Tree(self.urn(&noise)) }
        if noise.oneIn(8) { resource["aliases"] = urns(&noise) }
        if noise.oneIn(8) { resource["delete"] = .bool(noise.oneIn(2)) }
        if noise.oneIn(12) { resource["pendingReplacement"] = .bool(noise.oneIn(2)) }
        if noise.oneIn(14) { resource["taint"] = .bool(noise.oneIn(2)) }
        if noise.oneIn(14) { resource["refreshBeforeUpdate"] = .bool(noise.oneIn(2)) }
        if noise.oneIn(14) { resource["resourceHooks"] = .object(noise.oneIn(2) ? [:] : ["h": .array([])]) }
        if noise.oneIn(20) { resource["extensionRef"] = Tree("ext1") }
        if noise.oneIn(20) { resource["snippetID"] = Tree("s1") }
        if noise.oneIn(6) { resource["futureField"] = value(&noise, depth: 0) }
        return resource
    }

    private static func value(_ noise: inout Noise, depth: Int) -> Tree {
        switch noise.below(depth > 2 ? 6 : 8) {
        case 0: return .null
        case 1: return .bool(noise.oneIn(2))
        case 2:
            return .number(noise.pick(["0", "-0", "1.10", "12345678901234567890123456", "1E-7", "9007199254740993"]))
        case 3: return .string([0x61, 0xd800, 0x22, 0x5c, 0])
        case 4: return Tree(noise.pick(["", "plain", "{\"a\":[", "]}", "\u{2028}<>&", "é😀"]))
        case 5: return Tree("urn:pulumi:dev::shop::pkg:m:A::a")
        case 6: return .array((0..<noise.below(3)).map { _ in value(&noise, depth: depth + 1) })
        default:
            let keys = ["a", "", "dependencies", "é\"", "delete"]
            var members: [String: Tree] = [:]
            for _ in 0..<noise.below(4) { members[noise.pick(keys)] = value(&noise, depth: depth + 1) }
            return .object(members)
        }
    }

    private static func provider(_ noise: inout Noise) -> Tree {
        .object([
            "type": Tree(noise.pick(["service", "passphrase"])),
            "state": .object(["salt": Tree(noise.pick(["v1:a", "v1:b"]))]),
        ])
    }

    private static func snippets(_ noise: inout Noise) -> Tree {
        .array(
            (0..<noise.below(3)).map { index in
                let references = Tree.object(["r": Tree(urn(&noise))])
                return .object(["uuid": Tree("u\(index)"), "name": Tree("s"), "references": references])
            }
        )
    }

    private static func body(_ noise: inout Noise) -> Tree {
        var body = Tree.object([:])
        if !noise.oneIn(5) {
            let version = Tree(noise.pick(["", "v3.1.0"]))
            body["manifest"] = .object(["time": Tree("2020-01-01T00:00:00Z"), "magic": Tree("x"), "version": version])
        }
        if !noise.oneIn(3) { body["secrets_providers"] = provider(&noise) }
        if !noise.oneIn(5) { body["resources"] = .array((0..<noise.below(7)).map { _ in resource(&noise) }) }
        if noise.oneIn(4) {
            body["pending_operations"] = .array(
                ["creating", "updating", "creating", "deleting"].prefix(noise.below(5)).map { type in
                    .object(["resource": resource(&noise), "type": Tree(type)])
                }
            )
        }
        if !noise.oneIn(3) { body["metadata"] = noise.oneIn(3) ? .object(["note": Tree("n")]) : .object([:]) }
        if noise.oneIn(8) { body["snippets"] = snippets(&noise) }
        if noise.oneIn(8) { body["extensions"] = .object(["ext2": .object(["name": Tree("stored")])]) }
        if noise.oneIn(8) { body["futureMember"] = value(&noise, depth: 0) }
        return body
    }

    private static func document(_ noise: inout Noise) -> Tree {
        var document = Tree.object(["version": .number("3"), "deployment": body(&noise)])
        if noise.oneIn(12) { document["deployment"] = .null }
        if noise.oneIn(6) {
            document["version"] = .number("4")
            document["features"] = .array(
                ["byteString", "future", "views"].filter { _ in noise.oneIn(2) }.map { Tree($0) }
            )
        }
        if noise.oneIn(10) { document["futureMember"] = value(&noise, depth: 0) }
        return document
    }
}
