/// A dimension of a metric, with every value it can have.
///
/// Values come from closed sets (route template, code, job kind, engine); never ids, names or URLs.
package struct Label: Sendable {
    package let name: String
    /// The declared values, and `other` behind them, which counts what was not declared.
    package let values: [String]
    private let positions: [String: Int]

    package init(_ name: String, _ values: [String]) {
        precondition(isMetricName(name), "\(name) cannot be the name of a label")
        precondition(Set(values).count == values.count, "the values of label \(name) are not distinct")
        let all = values.contains(Self.other) ? values : values + [Self.other]
        self.name = name
        self.values = all
        positions = Dictionary(uniqueKeysWithValues: all.enumerated().map { ($1, $0) })
    }

    /// The value that stands for everything that was not declared.
    package static let other = "other"

    func position(of value: String) -> Int {
        positions[value] ?? positions[Self.other] ?? 0
    }
}

/// One counter, gauge or histogram for each combination of the values of its labels, all made at the start.
///
/// Looking one up takes no lock; a hot place looks up once and keeps what it found.
package struct Labelled<Series: Sendable>: Sendable {
    let labels: [Label]
    /// By label values in mixed radix, the last label running fastest.
    let series: [Series]

    init(labels: [Label], make: () -> Series) {
        precondition(!labels.isEmpty, "a labelled metric needs a label")
        precondition(Set(labels.map(\.name)).count == labels.count, "two labels have one name")
        self.labels = labels
        series = (0..<labels.reduce(1) { $0 * $1.values.count }).map { _ in make() }
    }

    package subscript(_ first: String) -> Series {
        precondition(labels.count == 1, "this metric has \(labels.count) labels")
        return series[labels[0].position(of: first)]
    }

    package subscript(_ first: String, _ second: String) -> Series {
        precondition(labels.count == 2, "this metric has \(labels.count) labels")
        return series[labels[0].position(of: first) * labels[1].values.count + labels[1].position(of: second)]
    }

    package subscript(_ first: String, _ second: String, _ third: String) -> Series {
        precondition(labels.count == 3, "this metric has \(labels.count) labels")
        let outer = labels[0].position(of: first) * labels[1].values.count + labels[1].position(of: second)
        return series[outer * labels[2].values.count + labels[2].position(of: third)]
    }

    /// The values of the labels at a position of `series`, in the order of the labels.
    func values(at index: Int) -> [String] {
        var rest = index
        var result: [String] = []
        for label in labels.reversed() {
            result.append(label.values[rest % label.values.count])
            rest /= label.values.count
        }
        return result.reversed()
    }
}

/// Whether a text can name a metric or a label: ASCII letters, digits and `_`, not beginning with a digit.
func isMetricName(_ text: String) -> Bool {
    guard let first = text.utf8.first, !(48...57).contains(first) else { return false }
    return text.utf8.allSatisfy { byte in
        switch byte {
        case 48...57, 65...90, 97...122, UInt8(ascii: "_"): true
        default: false
        }
    }
}
