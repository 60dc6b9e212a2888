import HTTPAPI
import Testing

@Suite("The table of routes")
struct RouteTableTests {
    @Test("is the one that was reviewed: a change of who may do what is a changed line of docs/routes.txt")
    func isReviewed() throws {
        try Repository.expect(RouteListing(EveryRoute.routes).text, in: "docs/routes.txt")
    }
}
