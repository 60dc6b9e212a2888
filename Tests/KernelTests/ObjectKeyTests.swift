import Kernel
import Testing

@Suite("Object keys")
struct ObjectKeyTests {
    private enum Stack {}
    private let hex = String(repeating: "0a", count: 32)
    private let id = "01890a5d-ac96-774b-bcce-b302099a8057"

    @Test("are made of words, ids and hashes")
    func made() throws {
        let stack = try #require(ID<Stack>(id))
        let folder = ObjectFolder("state").folder(stack)

        #expect(folder.content(hex: hex).description == "state/\(id)/\(hex)")
        #expect(folder.folder("raw").object(stack).description == "state/\(id)/raw/\(id)")
        #expect(folder.content(hex: hex).contentHex == hex)
        #expect(folder.object(stack).contentHex == nil)
        #expect(folder.content(hex: hex).folder == folder)
        #expect(ObjectKey(folder.content(hex: hex).description) == folder.content(hex: hex))
    }

    @Test("are in their folders and in no other")
    func folders() throws {
        let key = try #require(ObjectKey("state/a/b"))

        #expect(ObjectFolder("state").contains(key))
        #expect(key.folder.contains(key))
        #expect(!ObjectFolder("stat").contains(key))
        #expect(!ObjectFolder("states").contains(key))
    }

    @Test(
        "are not read from text that could be a path to something else",
        arguments: [
            "", "a", "/", "a/", "/a", "a//b", "../a", "a/..", "a/../b", "./a", "a/.", "a.b/c", "A/b", "a/B", "a b/c",
            "a/b\0", "a\\b/c", "a/b\n", "a/%2e%2e", "a/é", "a/ａ", "con/a", "a/nul", "a/com1", "lpt9/a", "a/aux/b",
            "a/\u{202E}b", "~/a", "a/b:c", "a/b*", "a/" + String(repeating: "x", count: 65),
            (0..<40).map { _ in "abcdef" }.joined(separator: "/"),
        ]
    )
    func refuses(text: String) {
        #expect(ObjectKey(text) == nil)
    }

    @Test("may hold what only looks like a device", arguments: ["a/console", "a/com", "a/com12", "a/comx", "nulls/a"])
    func takes(text: String) {
        #expect(ObjectKey(text)?.description == text)
    }

    @Test("name content by exactly 64 digits at their end")
    func content() {
        #expect(ObjectKey("a/\(hex)")?.contentHex == hex)
        #expect(ObjectKey("a/\(hex.dropLast())")?.contentHex == nil)
        #expect(ObjectKey("\(hex)/a")?.contentHex == nil)
        #expect(ObjectKey("a/\(hex.dropLast())g")?.contentHex == nil)
        #expect(ObjectKey("a/\(hex.dropLast())-")?.contentHex == nil)
    }
}
