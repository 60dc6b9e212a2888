import Contract
import Kernel
import Testing

@Suite("Wire types")
struct WireTests {
    @Test("name the member that is wrong, and what it takes")
    func namesTheMember() throws {
        let value = try JSONValue.parse(Array(#"{"stackName":"dev","tags":{"a":"b","c":7}}"#.utf8))

        let error = #expect(throws: WireError.self) { try AppCreateStackRequest.decode(value) }

        let shown = error.map { ServiceError($0) }
        #expect(shown?.code == .invalidArgument)
        #expect(shown?.details.first?.attribute == "tags.c")
    }

    @Test("name the member that is missing")
    func namesTheMissing() throws {
        let value = try JSONValue.parse(Array(#"{"tags":null}"#.utf8))

        let error = #expect(throws: WireError.self) { try AppCreateStackRequest.decode(value) }

        let detail = error.flatMap { ServiceError($0).details.first }
        #expect(detail?.kind == "required")
        #expect(detail?.attribute == "stackName")
    }

    @Test("take null for absent, and pass over what they do not know")
    func lenient() throws {
        let value = try JSONValue.parse(Array(#"{"stackName":"dev","tags":null,"teams":null,"new":[1]}"#.utf8))

        let request = try AppCreateStackRequest.decode(value)

        #expect(request.stackName == "dev")
        #expect(request.tags == nil)
    }

    @Test("write what is required and leave out what is not set")
    func writes() throws {
        let answer = AppGetDefaultOrganizationResponse(gitHubLogin: "a\"c<me", messages: [])

        guard case .json(let bytes) = try answer.render().content else {
            Issue.record("the answer is no JSON")
            return
        }

        #expect(String(decoding: bytes, as: UTF8.self) == #"{"GitHubLogin":"a\"c<me","Messages":[]}"#)
    }

    @Test(
        "read queries as forms are encoded",
        arguments: [
            ("organization=acme&tagName=a%20b&tagValue=c+d", "a b", "c d"),
            ("tagName=%C3%BC&unknown=1&organization=acme", "ü", nil),
        ] as [(String, String, String?)]
    )
    func readsQueries(text: String, name: String, value: String?) throws {
        let query = try ListUserStacksQuery(try QueryParameters(parsing: text.utf8))

        #expect(query.organization == "acme")
        #expect(query.tagName == name)
        #expect(query.tagValue == value)
    }

    @Test("refuse queries by name", arguments: ["maxResults=ten", "maxResults=1&maxResults=2", "tagName=%zz"])
    func refusesQueries(text: String) {
        #expect(throws: WireError.self) {
            _ = try ListUserStacksQuery(try QueryParameters(parsing: text.utf8))
        }
    }

    @Test(
        "take base64 of the standard alphabet with padding only",
        arguments: [("aGk=", true), ("aGk", false), ("a_8=", false), ("", true), ("aGk=\\n", false)]
    )
    func base64(text: String, isTaken: Bool) throws {
        let value = try JSONValue.parse(Array("{\"plaintext\":\"\(text)\"}".utf8))

        #expect(((try? AppEncryptValueRequest.decode(value)) != nil) == isTaken)
    }
}
