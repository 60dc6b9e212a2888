import HTTPServer
import Testing

@Suite("Header fields")
struct HTTPHeadersTests {
    @Test("a name is found whatever its case, and the first value wins")
    func caseless() {
        let headers: HTTPHeaders = ["Accept": "a", "ACCEPT": "b", "Accepts": "c"]

        let first = headers["accept"]
        let all = headers.values(for: "aCCept")

        #expect(first == "a")
        #expect(all == ["a", "b"])
        #expect(headers["Accep"] == nil)
        #expect(!headers.contains("Accept-"))
    }

    @Test("names that differ in more than case are not the same", arguments: [("a-b", "a_b"), ("[", "{"), ("@", "`")])
    func notCase(_ names: (String, String)) {
        let headers: HTTPHeaders = [names.0: "x"]

        let found = headers[names.1]

        #expect(found == nil)
    }

    @Test("appending keeps the order; setting puts one field in the place of all of that name")
    func change() {
        var headers: HTTPHeaders = ["A": "1", "B": "2"]

        headers.append("a", "3")
        let appended = headers.map { "\($0.name)=\($0.value)" }
        headers.set("A", "4")
        headers.remove("b")

        #expect(appended == ["A=1", "B=2", "a=3"])
        #expect(headers == ["a": "4"])
        #expect(headers.count == 1)
        #expect(HTTPHeaders().isEmpty)
    }

    @Test("equal are the same values in the same order")
    func equality() {
        let headers: HTTPHeaders = ["A": "1", "B": "2"]

        #expect(headers == ["a": "1", "b": "2"])
        #expect(headers != ["B": "2", "A": "1"])
        #expect(headers != ["A": "1"])
        #expect(headers != ["A": "1", "B": "3"])
    }
}
