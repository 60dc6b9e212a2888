import Contract
import HTTPAPI
import HTTPServer
import Kernel
import Telemetry
import Testing

@Suite("The pipeline")
struct PipelineTests {
    @Test("gives every answer a request id of its own, and the log the same")
    func identifiesRequests() async throws {
        let lab = Lab.echo()

        let first = try await lab.send("POST", "/raw")
        let second = try await lab.send("GET", "/nowhere")

        let ids = [first, second].map { $0.headers["X-Pulumi-Request-ID"] ?? "" }
        #expect(Set(ids).count == 2)
        for (id, line) in zip(ids, lab.log.entries.filter { $0.message == "request" }) {
            #expect("\(line.fields)".contains(id))
        }
    }

    @Test("tells a missing route from a missing thing, and what a path offers instead")
    func refusesRoutes() async throws {
        let lab = Lab.echo()

        let missing = try await lab.send("GET", "/nowhere")
        let other = try await lab.send("GET", "/echo")

        #expect(missing.status == 404)
        #expect(missing.message == "Not Found: no such route: GET /nowhere")
        #expect(other.status == 405)
        #expect(other.headers["Allow"] == "POST")
    }

    @Test(
        "knows its prefix",
        arguments: [
            ("/pulumi/note", 200), ("/note", 404), ("/pulumi", 404), ("/pulumix/note", 404), ("/PULUMI/note", 404),
        ]
    )
    func knowsPrefix(target: String, status: Int) async throws {
        let lab = Lab(prefix: "/pulumi") { routes in
            routes.query(GiveNote.self, access: .authenticated) { _ -> Note in Note("x") }
        }

        let reply = try await lab.send("GET", target)

        #expect(reply.status == status)
    }

    @Test("shows nothing of an error that was not written for clients, and logs it whole")
    func hidesCauses() async throws {
        let lab = failing(Secret(text: "SELECT password FROM users"))

        let reply = try await lab.send("GET", "/note")

        #expect(reply.status == 500)
        #expect(!reply.text.contains("password"))
        #expect(reply.message.contains("request ID"))
        let errors = lab.log.entries.filter { $0.level == .error }
        #expect(errors.count == 1)
        #expect("\(errors[0].fields)".contains("SELECT password"))
    }

    @Test("hides the cause of an error that was written for clients")
    func hidesNamedCauses() async throws {
        let lab = failing(ServiceError.unavailable("The database is busy.", cause: Secret(text: "10.0.0.7:3306")))

        let reply = try await lab.send("GET", "/note")

        #expect(reply.status == 503)
        #expect(reply.headers["Retry-After"] == "1")
        #expect(reply.text == #"{"code":503,"message":"The database is busy."}"#)
    }

    @Test("logs one line for each request: without query, token or body")
    func logsSparingly() async throws {
        let lab = Lab.echo()

        _ = try await lab.send(
            "POST",
            "/echo?secret=in-query",
            headers: ["Authorization": "token good", "Content-Type": "application/json"],
            body: RequestBody(bytes: Array(#"{"text":"in-body"}"#.utf8))
        )

        let all = lab.log.entries.map { "\($0.message) \($0.fields)" }.joined()
        #expect(lab.log.entries.filter { $0.message == "request" }.count == 1)
        #expect(!all.contains("in-query") && !all.contains("in-body") && !all.contains("good"))
        #expect(all.contains("dev") && all.contains("/echo"))
    }

    @Test("counts by route, and everything without a route as one")
    func counts() async throws {
        let lab = Lab.echo()

        _ = try await lab.send("POST", "/raw")
        for number in 0..<5 { _ = try await lab.send("GET", "/random/\(number)") }

        let text = lab.metrics.exposition()
        #expect(text.contains(#"cairn_http_answers_total{route="POST /raw",status="2xx"} 1"#))
        #expect(text.contains(#"cairn_http_answers_total{route="none",status="4xx"} 5"#))
        #expect(!text.contains("random"))
    }

    @Test("refuses a query it cannot read before the handler runs", arguments: ["?a=%", "?a=%FF", "?%zz=1"])
    func refusesQueries(query: String) async throws {
        let lab = Lab.echo()

        let reply = try await lab.send("POST", "/raw\(query)")

        #expect(reply.status == 400)
    }

    @Test("answers inline only what is the same for everybody")
    func answersInline() async throws {
        let lab = Lab { routes in
            routes.inline(GiveNote.self) { Note("at once") }
            routes.query(GiveText.self, access: .anonymous) { _ -> RawOutput in
                RawOutput(contentType: "text/plain", text: "later")
            }
        }
        func head(_ target: String) -> HTTPRequestHead { HTTPRequestHead(method: .get, target: RawTarget(target)) }

        let inline = try #require(lab.pipeline.inline(head("/note")))
        let reply = try await LabReply(inline)

        #expect(reply.text == #"{"text":"at once"}"#)
        #expect(reply.headers["X-Pulumi-Request-ID"] != nil)
        let refused = try #require(lab.pipeline.inline(head("/note?a=%")))
        #expect(refused.status == .badRequest)
        #expect(lab.pipeline.inline(head("/text")) == nil)
        #expect(lab.pipeline.inline(head("/nowhere")) == nil)
        #expect(lab.pipeline.inline(head("/%")) == nil)
    }

    private struct Secret: Error {
        let text: String
    }

    private func failing(_ error: any Error) -> Lab {
        Lab { routes in
            routes.query(GiveNote.self, access: .authenticated) { _ -> Note in throw error }
        }
    }
}
