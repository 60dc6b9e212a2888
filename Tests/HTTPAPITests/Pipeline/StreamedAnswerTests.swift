import Contract
import HTTPAPI
import HTTPServer
import Kernel
import Synchronization
import Telemetry
import Testing

@Suite("The log of a streamed answer")
struct StreamedAnswerTests {
    @Test("is written when the last byte is out, with their number")
    func waits() async throws {
        let lab = streaming([.piece(3), .piece(4)])

        let response = await lab.respond("GET", "/text")
        let before = lab.lines.count
        let reply = try await LabReply(response)

        #expect(before == 0)
        #expect(reply.body.count == 7)
        #expect(lab.lines.count == 1)
        #expect(lab.lines[0]["sent"] == .integer(7))
        #expect(lab.lines[0]["status"] == .integer(200))
    }

    @Test("tells of a stream that broke off, with the cause that nobody else sees")
    func tellsOfFailures() async throws {
        let lab = streaming([.piece(3), .failure(DiskGone())])

        let response = await lab.respond("GET", "/text")
        let error = await #expect(throws: DiskGone.self) { _ = try await LabReply(response) }

        let line = try #require(lab.log.entries.first { $0.level == .error })
        #expect(error != nil)
        #expect(line.message == "answer broke off")
        #expect("\(line.fields)".contains("DiskGone"))
        #expect(lab.lines.map { $0["sent"] } == [.integer(3)])
    }

    @Test("takes a client that leaves for what it is")
    func tellsOfDepartures() async throws {
        let lab = streaming([.piece(3), .failure(CancellationError())])

        let response = await lab.respond("GET", "/text")
        await #expect(throws: CancellationError.self) { _ = try await LabReply(response) }

        #expect(lab.lines.map { $0["clientLeft"] } == [.flag(true)])
        #expect(lab.log.entries.allSatisfy { $0.level <= .info })
    }

    @Test("is written for a stream that nobody began to read")
    func tellsOfDroppedStreams() async throws {
        let lab = streaming([.piece(3)])

        _ = await lab.respond("GET", "/text")

        #expect(lab.lines.map { $0["clientLeft"] } == [.flag(true)])
        #expect(lab.lines.map { $0["sent"] } == [.integer(0)])
    }

    @Test("is written at once for HEAD, whose stream nobody begins")
    func tellsOfHead() async throws {
        let lab = streaming([.piece(3)])

        let response = await lab.respond("HEAD", "/text")

        #expect(lab.lines.map { $0["clientLeft"] } == [.flag(false)])
        #expect(lab.lines.map { $0["sent"] } == [.integer(0)])
        _ = response
    }

    private struct DiskGone: Error {}

    private enum Step {
        case piece(Int)
        case failure(any Error)
    }

    private func streaming(_ steps: [Step]) -> Lab {
        Lab { routes in
            routes.query(GiveText.self, access: .authenticated) { _ -> RawOutput in
                let pieces = AsyncThrowingStream<[UInt8], any Error> { continuation in
                    for step in steps {
                        switch step {
                        case .piece(let count): continuation.yield([UInt8](repeating: 0x78, count: count))
                        case .failure(let error): continuation.finish(throwing: error)
                        }
                    }
                    continuation.finish()
                }
                return RawOutput(contentType: "text/plain", .pieces(pieces, length: nil))
            }
        }
    }
}

@Suite("What the pipeline keeps of a request")
struct RequestTraceTests {
    @Test("goes into what a handler logs: request, operation and actor")
    func namesRequest() async throws {
        let lab = Lab { routes in
            routes.query(GiveNote.self, access: .authenticated) { call -> Note in
                call.logger.notice("from the handler", ["more": 1])
                return Note("x")
            }
        }

        let reply = try await lab.send("GET", "/note")

        let line = try #require(lab.log.entries.first { $0.message == "from the handler" })
        #expect(line["request"] == .text(reply.headers["X-Pulumi-Request-ID"] ?? ""))
        #expect(line["operation"] == .text("giveNote"))
        #expect(line["actor"] == .text("dev"))
        #expect(line["more"] == .integer(1))
    }

    @Test("counts probes without a line for each")
    func countsInline() throws {
        let lab = Lab { routes in routes.inline(GiveNote.self) { Note("x") } }

        for _ in 0..<3 { _ = lab.pipeline.inline(HTTPRequestHead(method: .get, target: RawTarget("/note?x=1"))) }

        #expect(lab.lines.isEmpty)
        #expect(lab.metrics.exposition().contains(#"cairn_http_answers_total{route="GET /note",status="2xx"} 3"#))
    }

    @Test("tells of a probe that fails")
    func logsInlineFailures() async throws {
        struct Broken: Error {}
        let lab = Lab { routes in routes.inline(GiveNote.self) { throw Broken() } }

        let response = try #require(
            lab.pipeline.inline(HTTPRequestHead(method: .get, target: RawTarget("/note")))
        )
        let reply = try await LabReply(response)

        #expect(reply.status == 500)
        #expect(!reply.text.contains("Broken"))
        #expect(lab.log.entries.filter { $0.level == .error }.count == 1)
    }

    @Test("says that a cancelled request was, and keeps it from the errors")
    func notesCancellation() async throws {
        let lab = Lab { routes in
            routes.query(GiveNote.self, access: .authenticated) { _ -> Note in
                try await ContinuousClock().sleep(for: .seconds(3600))
                return Note("never")
            }
        }

        let response = await withTaskGroup(of: HTTPResponse.self) { group in
            group.addTask { await lab.respond("GET", "/note") }
            group.cancelAll()
            return await group.next()
        }

        #expect(response?.status == .serviceUnavailable)
        #expect(lab.lines.map { $0["clientLeft"] } == [.flag(true)])
        #expect(lab.log.entries.allSatisfy { $0.level <= .info })
    }
}
