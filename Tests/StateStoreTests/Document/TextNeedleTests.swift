import Testing

import StateStore

@Suite("Looking for bytes in texts")
struct TextNeedleTests {
    @Test(
        "finds them wherever they stand",
        arguments: [
            ("aNa", true), ("aNa…", true), ("…aNa", true), ("NaNNaNaNa", true), ("aaNa", true),
            ("", false), ("aN", false), ("Na", false), ("aNb", false), ("NNN", false), ("aN a", false), ("an a", false),
        ]
    )
    func finds(text: String, isIn: Bool) {
        #expect(TextNeedle("aNa").isIn(ArraySlice(Array(text.utf8))) == isIn)
    }

    @Test("looks at nothing outside of the slice")
    func staysInside() {
        let text = Array("xaNa and aNay".utf8)
        let needle = TextNeedle("aNa")

        #expect(!needle.isIn(text[2..<11]))
        #expect(needle.isIn(text[2..<12]))
        #expect(!needle.isIn(text[5..<5]))
    }

    @Test("needs no capital")
    func withoutCapital() {
        let needle = TextNeedle("ab")

        #expect(needle.isIn(ArraySlice("aab".utf8)))
        #expect(!needle.isIn(ArraySlice("ba".utf8)))
    }
}
