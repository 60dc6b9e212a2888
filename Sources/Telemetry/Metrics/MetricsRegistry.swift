import Kernel

/// Every metric of the process, and their text for `/metrics`.
///
/// Each module makes its metrics once, in a struct of its own. Making takes a lock, updating does not.
package final class MetricsRegistry: Sendable {
    private struct Family: Sendable {
        let help: String
        let kind: String
        let write: @Sendable (inout ExpositionText, String) -> Void
    }

    private let families = Locked<[String: Family]>([:])

    package init() {}

    package func counter(_ name: String, _ help: String) -> Counter {
        let counter = Counter()
        add(name, help, "counter") { text, name in text.sample(name, value: counter.value) }
        return counter
    }

    package func counter(_ name: String, _ help: String, by labels: Label...) -> Labelled<Counter> {
        let family = Labelled(labels: labels) { Counter() }
        add(name, help, "counter") { text, name in
            text.each(of: family, isUsed: { $0.value != 0 }) { text, labels, counter in
                text.sample(name, labels: labels, value: counter.value)
            }
        }
        return family
    }

    package func gauge(_ name: String, _ help: String) -> Gauge {
        let gauge = Gauge()
        add(name, help, "gauge") { text, name in text.sample(name, value: gauge.value) }
        return gauge
    }

    package func gauge(_ name: String, _ help: String, by labels: Label...) -> Labelled<Gauge> {
        let family = Labelled(labels: labels) { Gauge() }
        add(name, help, "gauge") { text, name in
            text.each(of: family, isUsed: { $0.value != 0 }) { text, labels, gauge in
                text.sample(name, labels: labels, value: gauge.value)
            }
        }
        return family
    }

    /// A number that is asked for when the text is made, such as the length of a queue.
    package func gauge(_ name: String, _ help: String, read: @escaping @Sendable () -> Int) {
        add(name, help, "gauge") { text, name in text.sample(name, value: read()) }
    }

    /// The same for a number that only grows and is counted elsewhere.
    package func counter(_ name: String, _ help: String, read: @escaping @Sendable () -> Int) {
        add(name, help, "counter") { text, name in text.sample(name, value: read()) }
    }

    package func histogram(_ name: String, _ help: String, _ buckets: Buckets) -> Histogram {
        let histogram = Histogram(buckets)
        add(name, help, "histogram") { text, name in text.histogram(name, histogram) }
        return histogram
    }

    package func histogram(
        _ name: String,
        _ help: String,
        _ buckets: Buckets,
        by labels: Label...
    ) -> Labelled<Histogram> {
        precondition(labels.allSatisfy { $0.name != "le" }, "le is the label of the buckets")
        let family = Labelled(labels: labels) { Histogram(buckets) }
        add(name, help, "histogram") { text, name in
            text.each(of: family, isUsed: { $0.snapshot.counts.contains { $0 != 0 } }) { text, labels, histogram in
                text.histogram(name, labels: labels, histogram)
            }
        }
        return family
    }

    /// The type of `exposition()`, for the answer's header.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// All metrics in Prometheus' text format, sorted by name.
    package func exposition() -> String {
        let families = families.withLock { $0 }.sorted { $0.key < $1.key }
        var text = ExpositionText()
        for (name, family) in families {
            text.header(name, help: family.help, kind: family.kind)
            family.write(&text, name)
        }
        return text.text
    }

    private func add(
        _ name: String,
        _ help: String,
        _ kind: String,
        write: @escaping @Sendable (inout ExpositionText, String) -> Void
    ) {
        precondition(isMetricName(name), "\(name) cannot be the name of a metric")
        let family = Family(help: help, kind: kind, write: write)
        let previous = families.withLock { families in
            defer { families[name] = family }
            return families[name]
        }
        precondition(previous == nil, "there are two metrics called \(name)")
    }
}
