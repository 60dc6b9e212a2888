import HTTPAPI
import Kernel
import Testing

@Suite("Tokens of pages")
struct ContinuationPagingTests {
    private let paging = ContinuationPaging(operation: "list", standard: 10, largest: 100)

    @Test("lead back to the key of the last item", arguments: [["a"], ["a", "b"], ["ä \" \\ \u{1F600}", ""], []])
    func leadBack(key: [String]) throws {
        let page = Page(items: [0], hasMore: true)

        let token = try #require(paging.token(page, filter: ["f"]) { _ in key })
        let after = try paging.after(token, filter: ["f"]) { $0 }

        #expect(after == key)
        #expect(token.wholeMatch(of: /[A-Za-z0-9_-]+/) != nil)
    }

    @Test("are given out only where items follow")
    func ends() {
        #expect(paging.token(Page(items: [1], hasMore: false), filter: []) { ["\($0)"] } == nil)
        #expect(paging.token(Page<Int>(items: [], hasMore: false), filter: []) { ["\($0)"] } == nil)
    }

    @Test("that are absent or empty mean the first page", arguments: [nil, ""])
    func begins(token: String?) throws {
        #expect(try paging.after(token, filter: []) { $0 } == nil)
    }

    @Test("are refused for another list, filter or key")
    func refusesOthers() throws {
        let token = try #require(paging.token(Page(items: [0], hasMore: true), filter: ["a", "b"]) { _ in ["k"] })
        let other = ContinuationPaging(operation: "other", standard: 10, largest: 100)

        let attempts: [(ContinuationPaging, [String])] = [
            (paging, ["a"]), (paging, ["a", "c"]), (paging, ["ab"]), (paging, []), (other, ["a", "b"]),
        ]
        for (paging, filter) in attempts {
            #expect(throws: ServiceError.self) { _ = try paging.after(token, filter: filter) { $0 } }
        }
        #expect(throws: ServiceError.self) { _ = try paging.after(token, filter: ["a", "b"]) { _ in String?.none } }
    }

    @Test("are refused when a single letter of them is another one")
    func refusesDamaged() throws {
        let token = try #require(paging.token(Page(items: [0], hasMore: true), filter: []) { _ in ["key"] })
        var accepted = 0

        for index in token.indices {
            var damaged = token
            damaged.replaceSubrange(index...index, with: token[index] == "A" ? "B" : "A")
            if let key = try? paging.after(damaged, filter: [], { $0 }), key == ["key"] { accepted += 1 }
        }

        #expect(accepted == 0)
    }

    @Test(
        "are refused when they are none",
        arguments: [
            "x", "!", "====", "W10", "e30", "bnVsbA", "WzFd", "W251bGxd", String(repeating: "A", count: 10_000),
        ]
    )
    func refuses(token: String) {
        let error = #expect(throws: ServiceError.self) { _ = try paging.after(token, filter: []) { $0 } }

        #expect(error?.code == .invalidArgument)
        #expect(error?.details.first?.attribute == "continuationToken")
    }

    @Test(
        "come with pages as large as asked for, within bounds",
        arguments: [(nil, 10), (0, 10), (5, 5), (100, 100), (101, 100)]
    )
    func limits(asked: Int?, limit: Int) throws {
        #expect(try paging.limit(asked) == limit)
    }

    @Test("come with no pages of less than one item", arguments: [-1, .min])
    func refusesLimits(asked: Int) {
        #expect(throws: ServiceError.self) { _ = try paging.limit(asked) }
    }
}
