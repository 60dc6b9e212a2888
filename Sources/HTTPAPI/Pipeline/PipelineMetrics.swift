package import Telemetry

/// What the pipeline counts, by route template: a closed set.
package struct PipelineMetrics: Sendable {
    /// The label of requests that no route answers.
    static let noRoute = "none"

    let duration: Labelled<Histogram>
    let answers: Labelled<Counter>

    package init(registry: MetricsRegistry, routes: [Route]) {
        let label = Label("route", [Self.noRoute] + routes.map(\.name))
        duration = registry.histogram(
            "cairn_http_request_duration_seconds",
            "Time from the head of a request to its answer.",
            .latency,
            by: label
        )
        answers = registry.counter(
            "cairn_http_answers_total",
            "Answers by class of status.",
            by: label,
            Label("status", ["2xx", "3xx", "4xx", "5xx"])
        )
    }

    func count(_ route: String, status: Int, duration time: Duration) {
        duration[route].observe(time)
        answers[route, "\(status / 100)xx"].increment()
    }
}
