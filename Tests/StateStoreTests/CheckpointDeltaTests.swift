import JSONScan
import StateStore
import Testing

@Suite("Checkpoint deltas")
struct CheckpointDeltaTests {
    @Test(
        "read the new text as JSON writes it",
        arguments: [
            (#""plain""#, "plain"),
            (#""\"u\":\"ü\\u003c\\u2028\"""#, #""u":"ü\u003c\u2028""#),
            (#""\u00fc\n\t""#, "ü\n\t"),
            (#""\ud83d\ude00""#, "😀"),
            ("null", ""),
        ]
    )
    func readsNewText(json: String, text: String) throws {
        let base = Array("0123456789".utf8)
        let element = """
            {"Span":{"uri":"","start":{"line":1,"column":1,"offset":2},"end":{"line":1,"column":1,"offset":4}},\
            "NewText":\(json)}
            """

        let edits = try CheckpointEdit.read([Array(element.utf8)[...]], against: base[...])

        #expect(edits == [CheckpointEdit(range: 2..<4, text: Array(text.utf8))])
    }
}
