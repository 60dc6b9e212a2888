import HTTPAPI
import Kernel
import Testing

@Suite("Pages by number")
struct NumberedPagingTests {
    private let plain = NumberedPaging(standard: 10, largest: 100)
    private let all = NumberedPaging(standard: 10, largest: 100, startsWithAll: true)

    @Test(
        "begin with the first one",
        arguments: [
            (nil, nil, 1, 10), (0, nil, 1, 10), (1, nil, 1, 10), (3, 0, 3, 10), (2, 100, 2, 100), (nil, 1, 1, 1),
            (1_000_000, 100, 1_000_000, 100),
        ] as [(Int?, Int?, Int, Int)]
    )
    func begin(page: Int?, size: Int?, number: Int, count: Int) throws {
        #expect(try plain.request(page: page, size: size) == NumberedPaging.Request(page: number, size: count))
    }

    @Test(
        "or with everything, where the contract says so and no size is asked for",
        arguments: [(nil, nil, 0), (0, nil, 0), (0, 50, 0), (nil, 50, 1), (1, nil, 1)] as [(Int?, Int?, Int)]
    )
    func beginWithAll(page: Int?, size: Int?, number: Int) throws {
        #expect(try all.request(page: page, size: size).page == number)
    }

    @Test("skip what is on the pages before", arguments: [(0, 0), (1, 0), (2, 10), (5, 40)])
    func skip(page: Int, skipped: Int) {
        #expect(NumberedPaging.Request(page: page, size: 10).skipped == skipped)
    }

    @Test(
        "are refused by the parameter's name when there is no such page",
        arguments: [
            (-1, nil, "page"), (.max, nil, "page"), (1_000_001, 100, "page"), (1, 101, "pageSize"),
            (1, -1, "pageSize"), (nil, .min, "pageSize"),
        ] as [(Int?, Int?, String)]
    )
    func refuse(page: Int?, size: Int?, field: String) {
        let error = #expect(throws: ServiceError.self) { _ = try plain.request(page: page, size: size) }

        #expect(error?.details.first?.attribute == field)
    }
}
