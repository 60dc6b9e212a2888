import Contract
import Kernel
import Testing

@Suite("Query parameters")
struct QueryParametersTests {
    private func parse(_ text: String) throws(WireError) -> QueryParameters {
        try QueryParameters(parsing: Array(text.utf8))
    }

    @Test(
        "are decoded once, in order",
        arguments: [
            ("", []),
            ("&&", []),
            ("a=1", [("a", "1")]),
            ("a=1&b=2&a=3", [("a", "1"), ("b", "2"), ("a", "3")]),
            ("a", [("a", "")]),
            ("a=", [("a", "")]),
            ("=x", [("", "x")]),
            ("a=b=c", [("a", "b=c")]),
            ("a+b=c+d", [("a b", "c d")]),
            ("a=%2B%20%26%3d%25", [("a", "+ &=%")]),
            ("%61=%C3%a9", [("a", "é")]),
            ("a=é", [("a", "é")]),
            ("a=%2525", [("a", "%25")]),
            ("a;b=1", [("a;b", "1")]),
        ] as [(String, [(String, String)])]
    )
    func decode(text: String, expected: [(String, String)]) throws {
        let pairs = expected.map { QueryParameters.Pair(name: $0.0, value: $0.1) }

        #expect(try parse(text).pairs == pairs)
    }

    @Test(
        "with a broken escape are refused by name",
        arguments: [
            ("ok=1&page=%", "page"), ("page=%4", "page"), ("page=%4g", "page"), ("page=%zz", "page"),
            ("page=%ff", "page"),
            ("page=%C3", "page"), ("p%C3=1", "p%C3"), ("p%=1", "p%"), ("page=a%+b", "page"),
        ]
    )
    func refuseBrokenEscapes(text: String, name: String) {
        #expect(throws: WireError(name, "has a broken percent escape, or is not UTF-8")) { try parse(text) }
    }

    @Test("that may come once are refused when they come twice, even with equal values")
    func refuseRepeated() throws {
        let query = try parse("page=1&page=1&tag=a&tag=a")

        #expect(throws: WireError("page", "is given more than once")) { try query.integer("page") }
        #expect(query.strings("tag") == ["a", "a"])
        #expect(query.strings("other") == nil)
    }

    @Test(
        "that are integers take plain digits",
        arguments: [("0", 0), ("-5", -5), ("007", 7), ("9223372036854775807", Int.max), ("", nil)]
    )
    func readIntegers(text: String, value: Int?) throws {
        #expect(try parse("n=\(text)").integer("n") == value)
    }

    @Test(
        "that are integers refuse everything else",
        arguments: ["a", "1.0", "1e3", "+1", "%2B1", "1+", "9223372036854775808", "0x1", "-", "true"]
    )
    func refuseOtherIntegers(text: String) {
        #expect(throws: WireError("n", "takes an integer")) { try parse("n=\(text)").integer("n") }
        #expect(throws: WireError("n", "takes an integer")) { try parse("n=1&n=\(text)").integers("n") }
    }

    @Test(
        "that are booleans take what Go takes",
        arguments: [
            ("true", true), ("True", true), ("1", true), ("f", false), ("FALSE", false), ("0", false), ("", nil),
        ]
    )
    func readBooleans(text: String, value: Bool?) throws {
        #expect(try parse("b=\(text)").bool("b") == value)
    }

    @Test("that are booleans refuse everything else", arguments: ["yes", "2", "tRue", "on"])
    func refuseOtherBooleans(text: String) {
        #expect(throws: WireError("b", "takes true or false")) { try parse("b=\(text)").bool("b") }
    }

    @Test("of an operation are read into its struct, and unknown ones are ignored")
    func fillStructs() throws {
        let query = try EngineEventsQuery(try parse("type=1&urn=u&type=2&include_non_activated=true&new=1"))

        #expect(query.type == [1, 2])
        #expect(query.urn == "u")
        #expect(query.includeNonActivated == true)
        #expect(query.continuationToken == nil)
    }

    @Test("that must be there are missed by name")
    func missRequired() throws {
        let error = #expect(throws: WireError.self) { try UsageQuery(try parse("lookbackDays=3")) }

        #expect(error == WireError("granularity", nil))
        #expect(error.map { ServiceError($0).message } == "Bad Request: granularity: is required")
        #expect(try UsageQuery(try parse("granularity=fortnightly")).granularity == .unknown("fortnightly"))
    }
}
