import Identity
import Testing

@Suite("Patterns for claims")
struct ClaimPatternTests {
    @Test(
        "match from the beginning to the end",
        arguments: [
            ("a", "a", true), ("a", "", false), ("a", "aa", false), ("a", "A", false), ("*", "", true),
            ("*", "abc", true),
            ("a*", "a", true), ("a*", "abc", true), ("a*", "ba", false), ("*a", "ba", true), ("*a", "ab", false),
            ("a*b*c", "a-b-c", true), ("a*b*c", "a-c-b", false), ("a?c", "ac", true), ("a?c", "abc", true),
            ("a?c", "abbc", false), ("a.c", "abc", true), ("a.c", "ac", false), ("a.c", "a.c", true), ("??", "", true),
            ("??", "ab", true), ("??", "abc", false), ("*?", "abc", true), (".*", "", false), ("**", "x", true),
            ("repo:acme/*", "repo:acme/site", true), ("repo:acme/*", "repo:acme-evil/site", false),
            ("repo:acme/*", "xrepo:acme/site", false), ("ä.", "äö", true), (".", "🦊", true), ("[a]", "[a]", true),
            ("[a]", "a", false), ("a\\b", "a\\b", true), ("a\n", "a\n", true), ("^a$", "a", false),
            ("(a|b)", "a", false),
        ]
    )
    func matches(pattern: String, value: String, isMatch: Bool) throws {
        #expect(try #require(ClaimPattern(pattern)).matches(value) == isMatch)
    }

    @Test("take a time that is bounded whatever they are", .timeLimit(.minutes(1)))
    func isBounded() throws {
        let pattern = try #require(ClaimPattern("\(String(repeating: "*a?", count: 170))c"))

        #expect(!pattern.matches(String(repeating: "a", count: 2047) + "b"))
        #expect(ClaimPattern(String(repeating: "a", count: 513)) == nil)
        #expect(ClaimPattern("") == nil)
        #expect(!pattern.matches(String(repeating: "a", count: 2049)))
    }

    @Test("say something of a value unless they are wildcards only", arguments: ["*", "?", ".", "*.?*", "..."])
    func knowsWildcards(text: String) throws {
        #expect(!(try #require(ClaimPattern(text)).isAnchored))
        #expect(try #require(ClaimPattern("\(text)a")).isAnchored)
    }
}
