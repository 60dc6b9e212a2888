import APITestKit
import Testing

/// A started update of a test, and what its holder sends.
struct TestUpdate: Sendable {
    let server: TestServer
    let stack: String
    let id: String
    let holder: TestCaller
    /// The answer to the start.
    let started: JSONView

    /// The path that clients use whatever the kind is.
    var path: String { "/api/stacks/\(stack)/update/\(id)" }

    func send(
        _ method: String,
        _ tail: String,
        _ json: String? = nil,
        as caller: TestCaller? = nil,
        at location: SourceLocation = #_sourceLocation
    ) async throws -> TestReply {
        try await server.send(method, "\(path)\(tail)", json: json, as: caller ?? holder, at: location)
    }

    func renew(_ duration: Int = 300) async throws -> TestReply {
        try await send("POST", "/renew_lease", #"{"token":"","duration":\#(duration)}"#)
    }

    /// Ends the update; a repeated end changes nothing and is not audited again.
    func complete(
        _ status: String = "succeeded",
        isRepeated: Bool = false,
        at location: SourceLocation = #_sourceLocation
    ) async throws -> TestReply {
        var request = TestRequest("POST", "\(path)/complete", json: #"{"status":"\#(status)"}"#)
        request.mustBeAudited = !isRepeated
        return try await server.send(request, as: holder, at: location)
    }

    func cancel(isRepeated: Bool = false, as caller: TestCaller = .dev) async throws -> TestReply {
        var request = TestRequest("POST", "\(path)/cancel")
        request.mustBeAudited = !isRepeated
        return try await server.send(request, as: caller)
    }

    /// Saves a plain checkpoint of these resources.
    func save(_ resources: [String]) async throws -> TestReply {
        try await send("PATCH", "/checkpoint", Save.plain(resources))
    }

    /// Saves this text as it is.
    func save(verbatim text: String, _ sequence: Int) async throws -> TestReply {
        try await send("PATCH", "/checkpointverbatim", Save.verbatim(text, sequence))
    }

    func save(delta edits: String, _ sequence: Int, hash: String) async throws -> TestReply {
        try await send("PATCH", "/checkpointdelta", Save.delta(edits, sequence, hash: hash))
    }

    func journal(_ entries: [String]) async throws -> TestReply {
        try await send("PATCH", "/journalentries", Save.journal(entries))
    }

    func events(_ events: [String]) async throws -> TestReply {
        try await send("POST", "/events/batch", Save.events(events))
    }
}

/// Bodies of what a running update saves.
enum Save {
    static func plain(_ resources: [String]) -> String {
        #"{"isInvalid":false,\#(TestServer.state(resources).dropFirst())"#
    }

    static func verbatim(_ text: String, _ sequence: Int) -> String {
        #"{"version":3,"untypedDeployment":\#(text),"sequenceNumber":\#(sequence)}"#
    }

    static func delta(_ edits: String, _ sequence: Int, hash: String) -> String {
        #"{"version":3,"checkpointHash":"\#(hash)","sequenceNumber":\#(sequence),"deploymentDelta":\#(edits)}"#
    }

    static func journal(_ entries: [String]) -> String {
        #"{"entries":[\#(entries.joined(separator: ","))]}"#
    }

    static func events(_ events: [String]) -> String {
        #"{"events":[\#(events.joined(separator: ","))]}"#
    }

    /// An event of that number.
    static func event(_ sequence: Int) -> String {
        #"{"sequence":\#(sequence),"timestamp":5,"stdoutEvent":{"message":"\#(sequence)","color":"raw"}}"#
    }
}

/// Journal entries and resources in few letters; `spec/cli-protocol.md` §12.2 has the long form.
enum Journal {
    static func resource(_ urn: String, _ version: Int = 0, _ more: String = "") -> String {
        let outputs = version == 0 ? "" : #","outputs":{"v":\#(version)}"#
        return #"{"urn":"\#(urn)","custom":false,"type":"t"\#(outputs)\#(more.isEmpty ? "" : ",\(more)")}"#
    }

    /// - Parameters:
    ///   - sequence: its number in the update.
    ///   - more: other members, as JSON.
    static func entry(
        _ sequence: Int,
        kind: Int,
        _ operation: Int = 0,
        old: Int? = nil,
        new: Int? = nil,
        state: String? = nil,
        _ more: String = ""
    ) -> String {
        let pointers = #""removeOld":\#(old.map(String.init) ?? "null"),"removeNew":\#(new.map(String.init) ?? "null")"#
        let state = state.map { #","state":\#($0)"# } ?? ""
        let members = more.isEmpty ? state : "\(state),\(more)"
        return """
            {"version":1,"kind":\(kind),"sequenceID":\(sequence),"operationID":\(operation),\(pointers)\(members)}
            """
    }

    /// The pending operation that a begin shows.
    static func pending(_ type: String, _ urn: String) -> String {
        #""operation":{"resource":\#(resource(urn)),"type":"\#(type)"}"#
    }

    /// The first entry of every update.
    static let provider = entry(
        1,
        kind: 6,
        0,
        #""secretsProvider":{"type":"passphrase","state":{"salt":"s"}}"#
    )

    /// Begin and end of creating a resource, as entries `sequence` and `sequence + 1`.
    static func create(_ sequence: Int, _ operation: Int, _ urn: String, _ version: Int = 1) -> [String] {
        [
            entry(sequence, kind: 0, operation, pending("creating", urn)),
            entry(sequence + 1, kind: 1, operation, state: resource(urn, version)),
        ]
    }
}

extension TestServer {
    private static func program(_ options: String, _ more: String) -> String {
        """
        {"name":"site","runtime":"yaml","main":"","description":"","options":\(options),"config":{},\
        "metadata":{"message":"","environment":{}}\(more)}
        """
    }

    /// Makes an update without starting it.
    ///
    /// - Returns: its id.
    func make(
        _ kind: String = "update",
        of stack: String,
        options: String = "{}",
        as caller: TestCaller = .dev,
        at location: SourceLocation = #_sourceLocation
    ) async throws -> String {
        let path = "/api/stacks/\(stack)/\(kind)"
        let made = try await send("POST", path, json: Self.program(options, ""), as: caller, at: location)
        return try #require(made.json["updateID"].string, "\(made)", sourceLocation: location)
    }

    func start(
        _ id: String,
        of stack: String,
        _ json: String = "{}",
        as caller: TestCaller = .dev,
        at location: SourceLocation = #_sourceLocation
    ) async throws -> TestReply {
        try await send("POST", "/api/stacks/\(stack)/update/\(id)", json: json, as: caller, at: location)
    }

    /// Makes and starts an update.
    ///
    /// - Parameter journal: the version that the client offers; nil for checkpoints.
    func update(
        _ kind: String = "update",
        of stack: String = "acme/site/dev",
        journal: Int? = nil,
        options: String = "{}",
        as caller: TestCaller = .dev,
        at location: SourceLocation = #_sourceLocation
    ) async throws -> TestUpdate {
        let id = try await make(kind, of: stack, options: options, as: caller, at: location)
        let json = journal.map { #"{"journalVersion":\#($0)}"# } ?? "{}"
        let started = try await start(id, of: stack, json, as: caller, at: location)
        let token = try #require(started.json["token"].string, "\(started)", sourceLocation: location)
        return TestUpdate(server: self, stack: stack, id: id, holder: .updateToken(token), started: started.json)
    }

    func export(
        _ stack: String = "acme/site/dev",
        version: Int? = nil,
        at location: SourceLocation = #_sourceLocation
    ) async throws -> TestReply {
        let tail = version.map { "/\($0)" } ?? ""
        return try await send("GET", "/api/stacks/\(stack)/export\(tail)", at: location)
    }

    /// The resources of the state, as `urn@version` with marks, and then the pending operations.
    func resources(
        _ stack: String = "acme/site/dev",
        version: Int? = nil,
        at location: SourceLocation = #_sourceLocation
    ) async throws -> [String] {
        let reply = try await export(stack, version: version, at: location)
        try #require(reply.status == 200, "\(reply)", sourceLocation: location)
        let deployment = reply.json["deployment"]
        let resources = deployment["resources"].array.map { resource in
            var text = resource["urn"].string ?? "?"
            if let version = resource["outputs"]["v"].int { text += "@\(version)" }
            if resource["delete"].bool == true { text += "!del" }
            if resource["pendingReplacement"].bool == true { text += "!pr" }
            let dependencies = resource["dependencies"].array.compactMap(\.string)
            return dependencies.isEmpty ? text : "\(text)<-\(dependencies.joined(separator: ","))"
        }
        return resources
            + deployment["pending_operations"].array.map { operation in
                "\(operation["type"].string ?? "?") \(operation["resource"]["urn"].string ?? "?")"
            }
    }

    /// One entry of the history, newest first: `kind result version`.
    func history(
        of stack: String = "acme/site/dev",
        at location: SourceLocation = #_sourceLocation
    ) async throws -> [String] {
        let reply = try await send("GET", "/api/stacks/\(stack)/updates", at: location)
        return reply.json["updates"].array.map { entry in
            "\(entry["kind"].string ?? "?") \(entry["result"].string ?? "?") \(entry["version"].int ?? -1)"
        }
    }

    func version(of stack: String = "acme/site/dev") async throws -> Int? {
        try await send("GET", "/api/stacks/\(stack)").json["version"].int
    }

    /// Who runs an update of the stack; nil for nobody.
    func currentOperation(of stack: String = "acme/site/dev") async throws -> String? {
        try await send("GET", "/api/stacks/\(stack)").json["currentOperation"]["kind"].string
    }
}
