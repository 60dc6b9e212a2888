import APITestKit
import Testing

extension TestServer {
    /// A state with these resources, each a JSON object, as `POST …/import` takes it.
    static func state(_ resources: [String]) -> String {
        """
        {"version":3,"deployment":{"manifest":{"time":"2026-01-01T00:00:00Z","magic":"","version":""},\
        "resources":[\(resources.joined(separator: ","))]}}
        """
    }

    /// The root resource of a stack, with outputs as JSON.
    static func root(_ project: String, _ stack: String, outputs: String = "{}") -> String {
        """
        {"urn":"\(rootURN(project, stack))","custom":false,"type":"pulumi:pulumi:Stack","outputs":\(outputs)}
        """
    }

    static func rootURN(_ project: String, _ stack: String) -> String {
        "urn:pulumi:\(stack)::\(project)::pulumi:pulumi:Stack::\(project)-\(stack)"
    }

    /// Puts a state in the place of the stack's.
    func importState(
        _ resources: [String],
        into stack: String,
        as caller: TestCaller = .dev,
        at location: SourceLocation = #_sourceLocation
    ) async throws {
        let reply = try await send(
            "POST",
            "/api/stacks/\(stack)/import",
            json: Self.state(resources),
            as: caller,
            at: location
        )
        try #require(reply.status == 200, "\(reply)", sourceLocation: location)
    }

    /// Makes and starts an update.
    ///
    /// - Returns: its id, and who may write to it.
    @discardableResult
    func begin(
        _ kind: String,
        of stack: String,
        config: String = "{}",
        at location: SourceLocation = #_sourceLocation
    ) async throws -> (id: String, holder: TestCaller) {
        let program = """
            {"name":"p","runtime":"yaml","main":"","description":"","options":{},"config":\(config),\
            "metadata":{"message":"","environment":{}}}
            """
        let made = try await send("POST", "/api/stacks/\(stack)/\(kind)", json: program, at: location)
        let id = try #require(made.json["updateID"].string, "\(made)", sourceLocation: location)
        let started = try await send("POST", "/api/stacks/\(stack)/\(kind)/\(id)", json: "{}", at: location)
        let token = try #require(started.json["token"].string, "\(started)", sourceLocation: location)
        return (id, .updateToken(token))
    }

    /// Runs an update to its end.
    ///
    /// - Parameter resources: what its one checkpoint holds; nil for none.
    /// - Returns: its id.
    @discardableResult
    func run(
        _ kind: String,
        of stack: String,
        saving resources: [String]? = nil,
        status: String = "succeeded",
        config: String = "{}",
        at location: SourceLocation = #_sourceLocation
    ) async throws -> String {
        let (id, holder) = try await begin(kind, of: stack, config: config, at: location)
        let path = "/api/stacks/\(stack)/\(kind)/\(id)"
        if let resources {
            let saved = try await send(
                "PATCH",
                "\(path)/checkpointverbatim",
                json: #"{"version":3,"sequenceNumber":1,"untypedDeployment":\#(Self.state(resources))}"#,
                as: holder,
                at: location
            )
            try #require(saved.isSuccess, "\(saved)", sourceLocation: location)
        }
        let ended = try await send(
            "POST",
            "\(path)/complete",
            json: #"{"status":"\#(status)"}"#,
            as: holder,
            at: location
        )
        try #require(ended.isSuccess, "\(ended)", sourceLocation: location)
        return id
    }
}
