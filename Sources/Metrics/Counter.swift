/// Numbers that only grow, one for each set of labels.
public struct Counter<Labels: Hashable & Sendable>: Sendable {
    public private(set) var counts: [Labels: UInt64]

    /// - Parameter labels: what is shown as 0 before it has happened for the
    ///   first time, so that a rate sees that too.
    public init(startingAtZero labels: [Labels] = []) {
        counts = labels.reduce(into: [:]) { $0[$1] = 0 }
    }

    public mutating func increment(_ labels: Labels, by amount: UInt64 = 1) {
        counts[labels, default: 0] += amount
    }
}
