import Kernel
import Identity
import TestKit
import Testing

@Suite("The text of an access token")
struct TokenSecretTests {
    @Test("is another one each time, in the form that secret scanners know")
    func isRandom() {
        let effects = ManualClock().effects

        let texts = (0..<100).map { _ in TokenSecret(effects: effects).text.reveal() }

        #expect(Set(texts).count == 100)
        #expect(texts.allSatisfy { $0.wholeMatch(of: /pul-[0-9a-f]{40}/) != nil })
    }

    @Test(
        "may have any form that can stand in a header",
        arguments: [
            ("x", true), ("pul-abc", true), (String(repeating: "~", count: 256), true), ("", false), (" x", false),
            ("a b", false), ("a\tb", false), ("a\nb", false), ("\u{7f}", false), ("é", false),
            (String(repeating: "x", count: 257), false),
        ]
    )
    func reads(text: String, isTaken: Bool) {
        #expect((TokenSecret(text) != nil) == isTaken)
    }

    @Test("does not show in what is printed of it")
    func isRedacted() throws {
        let secret = try #require(TokenSecret("pul-secret"))

        #expect(!"\(secret)".contains("secret-") && !"\(secret.text)".contains("pul-secret"))
        #expect(!String(reflecting: secret).contains("pul-secret"))
    }
}
