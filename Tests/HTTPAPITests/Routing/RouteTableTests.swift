import Contract
import HTTPAPI
import Kernel
import Testing

@Suite("A table of routes")
struct RouteTableTests {
    @Test("is printed one route a line, sorted by path, with who may call and what is audited")
    func isPrinted() {
        var table = RouteTable()
        table.mutation(StepUpdate.self, access: .updateLease, unaudited: "a step of an update") { _ -> NoContent in
            NoContent()
        }
        table.query(GiveNote.self, access: .authenticated) { _ -> Note in Note("") }
        table.mutation(RemoveNote.self, access: .siteAdmin, audit: AuditAction("note-deleted")) { _ -> NoContent in
            NoContent()
        }
        table.unimplemented([UnimplementedOperation(GiveText.descriptor, reason: "comes later")])

        let lines = RouteListing(table.routes).text.split(separator: "\n")
            .map { $0.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ") }

        #expect(
            lines == [
                "DELETE /note removeNote site-admin note-deleted",
                "GET /note giveNote authenticated -",
                "POST /stacks/{orgName}/{projectName}/{stackName}/update/{updateID} stepUpdate update-lease "
                    + "unaudited: a step of an update",
                "GET /text giveText authenticated unimplemented: comes later",
            ]
        )
    }

    @Test("is printed so that a line changes only with its own route")
    func hasIndependentLines() {
        var table = RouteTable()
        table.query(GiveNote.self, access: .authenticated) { _ -> Note in Note("") }
        let before = RouteListing(table.routes).text

        table.query(GiveThing.self, access: .authenticated) { _ -> Note in Note("") }
        table.mutation(StepUpdate.self, access: .updateLease, unaudited: "a step of an update") { _ -> NoContent in
            NoContent()
        }

        #expect(RouteListing(table.routes).text.hasPrefix(before))
    }

    @Test("does not take an operation twice")
    func refusesDuplicates() async {
        await #expect(processExitsWith: .failure) {
            var table = RouteTable()
            table.query(GiveNote.self, access: .authenticated) { _ -> Note in Note("") }
            table.inline(GiveNote.self) { Note("") }
        }
    }

    @Test("makes no router of two routes that nothing tells apart")
    func refusesTwins() async {
        await #expect(processExitsWith: .failure) {
            _ = Router([(.get, PathTemplate("/a/{x}")), (.get, PathTemplate("/a/{y}"))])
        }
    }

    @Test("takes no reason for an operation that the contract does not have")
    func refusesUnknown() async {
        await #expect(processExitsWith: .failure) {
            _ = UnimplementedOperation.list([("noSuch", "comes later")], of: Operations.all)
        }
    }
}
