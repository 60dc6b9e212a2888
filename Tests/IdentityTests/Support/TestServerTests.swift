import APITestKit
import Contract
import Events
import HTTPAPI
import Kernel
import Persistence
import TestKit
import Testing

@Suite("The test server")
struct TestServerTests {
    @Test("fails a test whose mutation writes no audit event")
    func demandsAudit() async throws {
        try await withRoutes { routes, _, _ in
            routes.mutation(Poke.self, access: .authenticated, audit: .stackCreated) { _ -> NoContent in NoContent() }
        } body: { server in
            await withKnownIssue { _ = try await server.send("POST", "/poke") }
        }
    }

    @Test("fails a test whose mutation writes another audit event than its route says")
    func demandsDeclaredAudit() async throws {
        try await withRoutes { routes, database, effects in
            routes.mutation(Poke.self, access: .authenticated, audit: .stackCreated) { call -> NoContent in
                try await record(.stackDeleted, by: call.actor, database, effects)
                return NoContent()
            }
        } body: { server in
            await withKnownIssue { _ = try await server.send("POST", "/poke") }
        }
    }

    @Test("fails a test whose query writes an audit event")
    func refusesAuditOfQueries() async throws {
        try await withRoutes { routes, database, effects in
            routes.query(Poke.self, access: .authenticated) { call -> NoContent in
                try await record(.stackDeleted, by: call.actor, database, effects)
                return NoContent()
            }
        } body: { server in
            await withKnownIssue { _ = try await server.send("POST", "/poke") }
        }
    }

    @Test("fails a test whose refusal left an audit event")
    func refusesAuditOfRefusals() async throws {
        try await withRoutes { routes, database, effects in
            routes.mutation(Poke.self, access: .authenticated, audit: .stackCreated) { call -> NoContent in
                try await record(.stackCreated, by: call.actor, database, effects)
                throw ServiceError(.conflict, "too late")
            }
        } body: { server in
            await withKnownIssue { _ = try await server.send("POST", "/poke") }
        }
    }

    @Test("fails a test whose answer to an error has no message")
    func demandsWireForm() async throws {
        try await withRoutes { routes, _, _ in
            routes.query(Poke.self, access: .authenticated) { _ -> NoContent in throw ServiceError(.conflict, "") }
        } body: { server in
            await withKnownIssue { _ = try await server.send("POST", "/poke") }
        }
    }

    @Test("is content with a mutation that does what its route says")
    func takesGoodMutations() async throws {
        try await withRoutes { routes, database, effects in
            routes.mutation(Poke.self, access: .authenticated, audit: .stackCreated) { call -> NoContent in
                try await record(.stackCreated, by: call.actor, database, effects)
                return NoContent()
            }
        } body: { server in
            let reply = try await server.send("POST", "/poke")

            #expect(reply.status == 204)
            #expect(try await server.auditActions() == ["stack-created"])
        }
    }

    private func withRoutes(
        _ register: (inout RouteTable, Database, Effects) -> Void,
        body: (TestServer) async throws -> Void
    ) async throws {
        try await withTestServer(
            .sqlite,
            table: { database, effects in
                var table = RouteTable()
                register(&table, database, effects)
                return table
            },
            body
        )
    }
}

/// `POST /poke`.
private enum Poke: APIOperation {
    typealias Path = NoPath
    typealias Query = NoQuery
    typealias Body = NoBody
    typealias Output = NoContent
    static let descriptor = OperationDescriptor(
        id: "poke",
        tag: "lab",
        method: .post,
        path: "/poke",
        successStatus: 204
    )
}

private func record(_ action: AuditAction, by actor: Actor, _ database: Database, _ effects: Effects) async throws {
    let log = AuditLog(effects: effects)
    let now = effects.now()
    try await database.write { tx in
        try log.append(action, on: "it", in: .server, by: actor, at: now, tx: tx)
    }
}
