import APITestKit
import TestKit
import Testing

@Suite("Events that are given back")
struct EventTypeTests {
    @Test(
        "say their type, and keep every other byte",
        arguments: [
            (
                #"{"sequence":1,"timestamp":5,"stdoutEvent":{"message":"\u00e9","color":"raw"}}"#,
                #"{"type":"stdoutEvent","sequence":1,"timestamp":5,"stdoutEvent":{"message":"\u00e9","color":"raw"}}"#
            ),
            (
                #"{ "newEvent":{"type":"x"},"sequence":1 }"#,
                #"{"type":"newEvent", "newEvent":{"type":"x"},"sequence":1 }"#
            ),
            (
                #"{"type":"mine","cancelEvent":{},"sequence":1}"#,
                #"{"type":"mine","cancelEvent":{},"sequence":1}"#
            ),
            (#"{"sequence":1,"timestamp":5}"#, #"{"sequence":1,"timestamp":5}"#),
        ]
    )
    func sayType(sent: String, given: String) async throws {
        try await withStackServer(.sqlite) { server in
            try await server.createStack("acme/site/dev")
            let (id, holder) = try await server.begin("preview", of: "acme/site/dev")
            let path = "/api/stacks/acme/site/dev/preview/\(id)/events"

            let added = try await server.send("POST", "\(path)/batch", json: #"{"events":[\#(sent)]}"#, as: holder)
            let read = try await server.send("GET", path)

            #expect(added.isSuccess)
            #expect(read.text.contains(#""events":[\#(given)]"#), "\(read)")
        }
    }
}
