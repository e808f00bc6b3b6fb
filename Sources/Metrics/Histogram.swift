/// How many values were at most so large, for some bounds.
public struct Histogram: Sendable {
    /// Ascending; values above the last are counted in ``count`` only.
    public let bounds: [Double]
    /// How many values are at most as large as the bound at the same index.
    public var cumulativeCounts: [UInt64] {
        var sum: UInt64 = 0
        return counts.map { count in
            sum += count
            return sum
        }
    }
    public private(set) var count: UInt64 = 0
    public private(set) var sum = 0.0

    /// The number of values at the index of the least bound that is not below them.
    private var counts: [UInt64]

    /// - Parameter bounds: in any order; those that are not finite are left out.
    public init(bounds: [Double]) {
        self.bounds = Set(bounds.filter(\.isFinite)).sorted()
        counts = Array(repeating: 0, count: self.bounds.count)
    }

    /// A value that is no number is not counted.
    public mutating func observe(_ value: Double) {
        guard !value.isNaN else { return }
        if let index = bounds.firstIndex(where: { value <= $0 }) { counts[index] += 1 }
        count += 1
        sum += value
    }
}

/// Histograms with the same bounds, one for each set of labels.
public struct HistogramFamily<Labels: Hashable & Sendable>: Sendable {
    public private(set) var histograms: [Labels: Histogram] = [:]
    private let empty: Histogram

    /// - Parameter bounds: in any order; those that are not finite are left out.
    public init(bounds: [Double]) { empty = Histogram(bounds: bounds) }

    public mutating func observe(_ value: Double, _ labels: Labels) {
        histograms[labels, default: empty].observe(value)
    }
}
