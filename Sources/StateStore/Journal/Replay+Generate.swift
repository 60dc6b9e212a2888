import JSONScan
import Kernel

// Building a state from base and entries (`spec/cli-protocol.md` §12.6, Generate).

extension Replay {
    /// The features that this release knows (§8.1).
    ///
    /// Others of the base are kept: we cannot tell whether they still apply.
    private static let knownFeatures: Set<String> = [
        "refreshBeforeUpdate", "views", "hooks", "taint", "replaceWith", "extensionParameterization",
        "snippets-prototype", "byteString",
    ]

    /// The finished document.
    func finish() throws(StateError) -> StateDocument {
        var deployment = generate()
        noteIntegrity(of: &deployment)
        let features = features(of: deployment)
        return StateDocument(
            version: features.isEmpty ? 3 : 4,
            features: features,
            others: document.others,
            deployment: deployment
        )
    }

    /// The body that base and entries make together.
    func generate() -> Deployment {
        var resources = remaining()
        if isRefreshed { resources = Repair.repaired(resources) }
        var members = generatedMembers()
        if let normalised = AliasNormalisation.normalised(resources, snippets: members["snippets"]) {
            resources = normalised.resources
            members["snippets"] = normalised.snippets
        }
        return Deployment(
            members: Self.order(members, others: frame.members),
            resources: resources,
            pendingOperations: pendingOperations()
        )
    }

    /// What entries brought, then what is left of the base.
    private func remaining() -> [StateResource] {
        var result: [StateResource] = []
        result.reserveCapacity(new.count + base.count)
        for item in new where !item.marks.contains(.dropped) {
            result.append(item.resource.marked(item.marks))
        }
        base.appendRemaining(to: &result)
        return result
    }

    /// Operations still open, in the order of their ids, then unfinished creations of the base.
    private func pendingOperations() -> [PendingOperation] {
        open.keys.sorted().compactMap { open[$0]?.operation } + frame.pendingOperations.filter { $0.type == "creating" }
    }

    private func generatedMembers() -> [String: ArraySlice<UInt8>] {
        var members: [String: ArraySlice<UInt8>] = ["manifest": manifest()]
        members["secrets_providers"] = frame.value("secrets_providers")
        members["metadata"] = frame.value("metadata") ?? ArraySlice("{}".utf8)
        members["snippets"] = frame.value("snippets").flatMap { JSONScalar.isFilled($0) ? $0 : nil }
        members["extensions"] = mergedExtensions()
        return members
    }

    /// Known members in the CLI's order, then those that only a newer CLI knows.
    private static func order(
        _ known: [String: ArraySlice<UInt8>],
        others: [StateDocument.Member]
    ) -> [StateDocument.Member] {
        let order = ["manifest", "secrets_providers", "metadata", "snippets", "extensions"]
        let first = order.compactMap { key in known[key].map { StateDocument.Member(key, $0) } }
        return first + others.filter { !order.contains($0.key) }
    }

    private func manifest() -> ArraySlice<UInt8> {
        let stored = frame.value("manifest").flatMap { JSONReading.member("version", of: $0) }
        let version = options.cliVersion.map { ArraySlice($0.utf8) } ?? stored.flatMap { JSONScalar.string($0) } ?? []
        let magic = version.isEmpty ? "" : hexadecimalHash(of: [version], options.hash)
        let text = #"{"time":"\#(options.time.rfc3339)","magic":"\#(magic)","version":"#
        return ArraySlice(Array(text.utf8) + JSONText.encode(version) + [UInt8(ascii: "}")])
    }

    /// The base's extensions, with those of the journal that it does not have.
    private func mergedExtensions() -> ArraySlice<UInt8>? {
        guard let stored = frame.value("extensions") else {
            guard !extensions.isEmpty else { return nil }
            return ObjectEdit.apply(to: ArraySlice("{}".utf8), adding: extensions.map { ($0.key, $0.value) }) { _, _ in
                .keep
            }
        }
        let known = Set(JSONMembers(of: stored).map { JSONText.decode(stored[$0.key]).asText })
        let added = extensions.filter { !known.contains($0.key) }.map { ($0.key, $0.value) }
        let merged = ObjectEdit.apply(to: stored, adding: added) { _, _ in .keep }
        return JSONScalar.isFilled(merged) ? merged : nil
    }

    // MARK: Features

    private func features(of deployment: Deployment) -> [String] {
        var found = Set(document.features.filter { !Self.knownFeatures.contains($0) })
        let resources = deployment.resources.span
        for index in resources.indices { Self.collect(resources[index], &found) }
        for operation in deployment.pendingOperations {
            if let resource = operation.resource { Self.collect(resource, &found) }
        }
        if deployment.value("snippets") != nil { found.insert("snippets-prototype") }
        // Such strings may hide in ciphertexts, so the base's word for them stands as long as anything is left.
        let mayHoldByteStrings = hasByteStrings || document.features.contains("byteString")
        if mayHoldByteStrings, !deployment.resources.isEmpty || !deployment.pendingOperations.isEmpty {
            found.insert("byteString")
        }
        return found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private static func collect(_ resource: StateResource, _ found: inout Set<String>) {
        let flags = resource.flags
        if flags.contains(.refreshBeforeUpdate) { found.insert("refreshBeforeUpdate") }
        if flags.contains(.resourceHooks) { found.insert("hooks") }
        if flags.contains(.taint) { found.insert("taint") }
        if flags.contains(.snippetID) { found.insert("snippets-prototype") }
        if resource.text(.viewOf) != nil { found.insert("views") }
        if resource.text(.extensionRef) != nil { found.insert("extensionParameterization") }
        if let list = resource.value(.replaceWith), JSONScalar.isFilled(list) { found.insert("replaceWith") }
    }

    // MARK: Integrity

    /// Writes the first breach of the integrity rules into the metadata, or clears an older note.
    private func noteIntegrity(of deployment: inout Deployment) {
        let problem = IntegrityCheck.firstProblem(of: deployment, hash: options.hash)
        guard let place = deployment.members.firstIndex(where: { $0.key == "metadata" }) else { return }
        var additions: [(key: String, value: ArraySlice<UInt8>)] = []
        if let problem {
            let manifest = deployment.value("manifest") ?? []
            let version = JSONReading.member("version", of: manifest) ?? ArraySlice(#""""#.utf8)
            let fields: [(key: String, value: ArraySlice<UInt8>)] = [
                ("version", version), ("command", ArraySlice(JSONText.encode(options.command ?? ""))),
                ("error", ArraySlice(JSONText.encode(problem))),
            ]
            let note = ObjectEdit.apply(to: ArraySlice("{}".utf8), adding: fields) { _, _ in .keep }
            additions.append(("integrity_error", note))
        }
        deployment.members[place].value = ObjectEdit.apply(to: deployment.members[place].value, adding: additions) {
            key,
            _ in key.elementsEqual("integrity_error".utf8) ? .remove : .keep
        }
    }
}

extension StateResource {
    /// The resource with `delete` or `pendingReplacement` set to true; the same text where they already are.
    func marked(_ marks: Replay.Marks) -> StateResource {
        var wanted: [(key: String, value: ArraySlice<UInt8>)] = []
        let yes = ArraySlice("true".utf8)
        if marks.contains(.delete), !flags.contains(.delete) { wanted.append(("delete", yes)) }
        if marks.contains(.pendingReplacement), !flags.contains(.pendingReplacement) {
            wanted.append(("pendingReplacement", yes))
        }
        guard !wanted.isEmpty else { return self }
        let text = ObjectEdit.apply(to: bytes, adding: wanted) { key, _ in
            wanted.contains { key.elementsEqual($0.key.utf8) } ? .remove : .keep
        }
        return edited(text)
    }

    /// The resource with another text, which is one JSON object as before.
    func edited(_ text: ArraySlice<UInt8>) -> StateResource {
        guard let resource = StateResource(text) else { preconditionFailure("an edit keeps an object an object") }
        return resource
    }
}
