import HTTPServer
import Testing

@Suite("Header fields")
struct HTTPHeadersTests {
    @Test("a name is found whatever its case, and the first value wins")
    func caseless() {
        let headers: HTTPHeaders = ["Accept": "a", "ACCEPT": "b"]

        let first = headers["accept"]
        let all = headers.values(for: "aCCept")

        #expect(first == "a")
        #expect(all == ["a", "b"])
    }
}
