/// Prometheus' text format 0.0.4 while it is written.
struct ExpositionText {
    private(set) var text = ""

    /// Above this many series, those that were never used are left out: a route nobody calls needs no line.
    private static let mostUnused = 64

    mutating func header(_ name: String, help: String, kind: String) {
        text += "# HELP \(name) \(Self.escaped(help, quotes: false))\n# TYPE \(name) \(kind)\n"
    }

    mutating func sample(_ name: String, labels: String = "", value: Int) {
        text += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }

    mutating func histogram(_ name: String, labels: String = "", _ histogram: Histogram) {
        let (counts, sum) = histogram.snapshot
        let buckets = histogram.buckets
        let first = labels.isEmpty ? "" : "\(labels),"
        var total = 0
        for (border, count) in zip(buckets.borders, counts) {
            total += count
            text += "\(name)_bucket{\(first)le=\"\(Self.number(border, by: buckets.divisor))\"} \(total)\n"
        }
        total += counts.last ?? 0
        text += "\(name)_bucket{\(first)le=\"+Inf\"} \(total)\n"
        let suffix = labels.isEmpty ? "" : "{\(labels)}"
        text += "\(name)_sum\(suffix) \(Self.number(sum, by: buckets.divisor))\n\(name)_count\(suffix) \(total)\n"
    }

    /// Calls `write` with the labels of each series that is shown.
    mutating func each<Series>(
        of family: Labelled<Series>,
        isUsed: (Series) -> Bool,
        write: (inout ExpositionText, String, Series) -> Void
    ) {
        let showsAll = family.series.count <= Self.mostUnused
        for (index, series) in family.series.enumerated() {
            let values = family.values(at: index)
            let isDeclared = !values.contains(Label.other)
            guard isUsed(series) || (showsAll && isDeclared) else { continue }
            let labels = zip(family.labels, values).map { "\($0.name)=\"\(Self.escaped($1, quotes: true))\"" }
            write(&self, labels.joined(separator: ","), series)
        }
    }

    private static func number(_ value: Int, by divisor: Int) -> String {
        value % divisor == 0 ? String(value / divisor) : String(Double(value) / Double(divisor))
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
