import Telemetry
import Testing

@Suite("Metrics")
struct MetricsTests {
    private let registry = MetricsRegistry()

    @Test("are shown in Prometheus' text form, sorted by name")
    func exposition() {
        let requests = registry.counter(
            "cairn_requests_total",
            "Requests answered.",
            by: Label("method", ["GET", "POST"]),
            Label("code", ["200"])
        )
        let open = registry.gauge("cairn_open", "Open things, with a \\ and a\nline end.")
        registry.gauge("cairn_asked", "Asked for.") { 42 }
        registry.counter("cairn_elsewhere_total", "Counted elsewhere.") { 9 }
        let time = registry.histogram("cairn_seconds", "Times.", Buckets([1000, 2500], divisor: 1_000_000))

        requests["GET", "200"].increment()
        requests["GET", "200"].increment(by: 2)
        requests["PATCH", "200"].increment()
        open.set(5)
        open.add(-7)
        time.observe(.milliseconds(1))
        time.observe(.microseconds(1001))
        time.observe(.seconds(2))

        #expect(
            registry.exposition() == """
                # HELP cairn_asked Asked for.
                # TYPE cairn_asked gauge
                cairn_asked 42
                # HELP cairn_elsewhere_total Counted elsewhere.
                # TYPE cairn_elsewhere_total counter
                cairn_elsewhere_total 9
                # HELP cairn_open Open things, with a \\\\ and a\\nline end.
                # TYPE cairn_open gauge
                cairn_open -2
                # HELP cairn_requests_total Requests answered.
                # TYPE cairn_requests_total counter
                cairn_requests_total{method="GET",code="200"} 3
                cairn_requests_total{method="POST",code="200"} 0
                cairn_requests_total{method="other",code="200"} 1
                # HELP cairn_seconds Times.
                # TYPE cairn_seconds histogram
                cairn_seconds_bucket{le="0.001"} 1
                cairn_seconds_bucket{le="0.0025"} 2
                cairn_seconds_bucket{le="+Inf"} 3
                cairn_seconds_sum 2.002001
                cairn_seconds_count 3

                """
        )
    }

    @Test("with labels keep to the declared values", arguments: ["DELETE", "", "get", "x\"} 1\nfake 2"])
    func undeclared(value: String) {
        let counters = registry.counter("c_total", "C.", by: Label("method", ["GET"]))

        counters[value].increment()

        #expect(counters["GET"].value == 0)
        #expect(counters["other"].value == 1)
        #expect(registry.exposition().contains("c_total{method=\"other\"} 1\n"))
    }

    @Test("with three labels keep every combination apart")
    func combinations() {
        let values = ["a", "b", "c"]
        let counters = registry.counter("c_total", "C.", by: Label("x", values), Label("y", values), Label("z", values))

        for (amount, (x, (y, z))) in zip(
            1...,
            values.flatMap { x in values.flatMap { y in values.map { (x, (y, $0)) } } }
        ) {
            counters[x, y, z].increment(by: amount)
        }

        #expect(counters["a", "a", "a"].value == 1)
        #expect(counters["c", "b", "a"].value == 22)
        #expect(counters["c", "c", "c"].value == 27)
        #expect(registry.exposition().contains("c_total{x=\"b\",y=\"a\",z=\"c\"} 12\n"))
    }

    @Test("of many series leave out those that were never used")
    func sparse() {
        let routes = (0..<100).map { "/api/route\($0)" }
        let time = registry.histogram("t_seconds", "T.", .latency, by: Label("route", routes))

        time["/api/route7"].observe(.milliseconds(3))

        let lines = registry.exposition().split(separator: "\n").filter { $0.hasPrefix("t_seconds_count") }
        #expect(lines == ["t_seconds_count{route=\"/api/route7\"} 1"])
    }

    @Test("escape label values")
    func escapedLabels() {
        let gauge = registry.gauge("g", "G.", by: Label("engine", ["a\"b\\c\nd"]))

        gauge["a\"b\\c\nd"].set(1)

        #expect(registry.exposition().contains(#"g{engine="a\"b\\c\nd"} 1"#))
    }

    @Test("count values into the bucket whose border they do not pass")
    func buckets() {
        let histogram = registry.histogram("h", "H.", .counts)

        for value in [0, 1, 2, 3, 1024, 1025, -5] { histogram.observe(value) }

        let (counts, sum) = histogram.snapshot
        #expect(counts == [3, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1])
        #expect(sum == 2050)
    }

    @Test("lose no update when many threads write")
    func threads() async {
        let counter = registry.counter("n_total", "N.")
        let histogram = registry.histogram("m_seconds", "M.", .latency)

        await withTaskGroup { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<10_000 {
                        counter.increment()
                        histogram.observe(.milliseconds(20))
                    }
                }
            }
        }

        #expect(counter.value == 80_000)
        #expect(histogram.snapshot.counts.reduce(0, +) == 80_000)
        #expect(histogram.snapshot.sum == 80_000 * 20_000)
    }
}
