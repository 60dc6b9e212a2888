package import Telemetry

/// What the pipeline counts, by route template: a closed set.
///
/// The series of each route are looked up once, so that counting takes neither a lock nor a dictionary.
package struct PipelineMetrics: Sendable {
    /// The label of requests that no route answers.
    static let noRoute = "none"
    private static let classes = ["2xx", "3xx", "4xx", "5xx"]

    private struct Series: Sendable {
        let duration: Histogram
        /// By class of status, in the order of `classes`.
        let answers: [Counter]
    }

    /// By the index of the route; the last one is of no route.
    private let series: [Series]

    package init(registry: MetricsRegistry, routes: [Route]) {
        let names = routes.map(\.name) + [Self.noRoute]
        let label = Label("route", names)
        let duration = registry.histogram(
            "cairn_http_request_duration_seconds",
            "Time from the head of a request to the end of its answer.",
            .latency,
            by: label
        )
        let answers = registry.counter(
            "cairn_http_answers_total",
            "Answers by class of status.",
            by: label,
            Label("status", Self.classes)
        )
        series = names.map { name in
            Series(duration: duration[name], answers: Self.classes.map { answers[name, $0] })
        }
    }

    /// - Parameter route: the index of the route; nil for none.
    func count(_ route: Int?, status: Int, duration: Duration) {
        let series = series[route ?? self.series.count - 1]
        series.duration.observe(duration)
        series.answers[min(max(status / 100, 2), 5) - 2].increment()
    }
}
