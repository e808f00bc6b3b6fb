/// Prometheus's text format, version 0.0.4.
///
/// Source: <https://prometheus.io/docs/instrumenting/exposition_formats/>. Names
/// of metrics and labels are the program's own and therefore not checked.
public struct MetricsText: Sendable {
    /// The labels of one sample, in the order in which they are written.
    public typealias Labels = KeyValuePairs<StaticString, String>

    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    public private(set) var bytes: [UInt8] = []

    public init() {}

    /// - Parameter name: ends with `_total`.
    public mutating func add<Key>(
        _ name: StaticString, _ help: StaticString, _ counter: Counter<Key>, _ labels: (Key) -> Labels
    ) {
        begin(name, help, type: "counter")
        for (key, count) in inOrder(counter.counts, labels) { add(name, "", key, "\(count)") }
    }

    /// - Parameter name: ends with its unit.
    public mutating func add<Key>(
        _ name: StaticString, _ help: StaticString, _ family: HistogramFamily<Key>, _ labels: (Key) -> Labels
    ) {
        begin(name, help, type: "histogram")
        for (key, histogram) in inOrder(family.histograms, labels) {
            for (bound, count) in zip(histogram.bounds, histogram.cumulativeCounts) {
                add(name, "_bucket", with(bound.metricText, key), "\(count)")
            }
            add(name, "_bucket", with("+Inf", key), "\(histogram.count)")
            add(name, "_sum", key, histogram.sum.metricText)
            add(name, "_count", key, "\(histogram.count)")
        }
    }

    /// A number that grows and shrinks, with one sample for each set of labels.
    public mutating func addGauge(
        _ name: StaticString, _ help: StaticString, _ samples: [(labels: Labels, value: Double)]
    ) {
        begin(name, help, type: "gauge")
        for sample in samples { add(name, "", written(sample.labels), sample.value.metricText) }
    }

    /// A number that only grows, without labels.
    public mutating func addCounter(_ name: StaticString, _ help: StaticString, _ value: Double) {
        begin(name, help, type: "counter")
        add(name, "", [], value.metricText)
    }

    private mutating func begin(_ name: StaticString, _ help: StaticString, type: StaticString) {
        bytes += "# HELP \(name) ".utf8
        append(escaped: "\(help)", quotes: false)
        bytes += "\n# TYPE \(name) \(type)\n".utf8
    }

    private mutating func add(_ name: StaticString, _ suffix: StaticString, _ labels: [UInt8], _ value: String) {
        bytes += "\(name)\(suffix)".utf8
        if !labels.isEmpty {
            bytes += "{".utf8
            bytes += labels
            bytes += "}".utf8
        }
        bytes += " \(value)\n".utf8
    }

    /// The series in the order of their labels as written, so that two responses can be compared.
    private func inOrder<Key, Value>(
        _ values: [Key: Value], _ labels: (Key) -> Labels
    ) -> [(labels: [UInt8], value: Value)] {
        values.map { (written(labels($0)), $1) }.sorted { $0.0.lexicographicallyPrecedes($1.0) }
    }

    private func written(_ labels: Labels) -> [UInt8] {
        var text = MetricsText()
        for (name, value) in labels {
            if !text.bytes.isEmpty { text.bytes += ",".utf8 }
            text.bytes += "\(name)=\"".utf8
            text.append(escaped: value, quotes: true)
            text.bytes += "\"".utf8
        }
        return text.bytes
    }

    private func with(_ bound: String, _ labels: [UInt8]) -> [UInt8] {
        labels + (labels.isEmpty ? "le=\"\(bound)\"" : ",le=\"\(bound)\"").utf8
    }

    private mutating func append(escaped text: String, quotes: Bool) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): bytes += #"\\"#.utf8
            case UInt8(ascii: "\n"): bytes += #"\n"#.utf8
            case UInt8(ascii: "\"") where quotes: bytes += #"\""#.utf8
            default: bytes.append(byte)
            }
        }
    }
}

extension Double {
    /// The number as Go's ParseFloat reads it, whole numbers without a point.
    fileprivate var metricText: String {
        if let integer = Int64(exactly: self), integer.magnitude < 1 << 53 { return "\(integer)" }
        return isNaN ? "NaN" : isInfinite ? (self < 0 ? "-Inf" : "+Inf") : "\(self)"
    }
}
