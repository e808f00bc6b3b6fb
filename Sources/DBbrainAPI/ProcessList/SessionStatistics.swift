import SessionKill
import TencentCloudErrors

/// The property by which sessions are to be counted.
public struct StatDimension: Codable, Sendable {
    public enum Dimension: String, Codable, Sendable {
        case sqlTag = "SqlTag"
    }

    public var Dimension: Dimension
    /// Which sessions count: those that one of them in brackets selects, or all
    /// of those without brackets; every session with tags, if there are none.
    public var Data: [SqlTagSelector]?
}

/// The sessions, counted by one dimension.
public struct StatisticInfo: Codable, Sendable {
    public var Dimension: String
    /// The longest time first.
    public var Data: [StatisticDataInfo]
}

public struct StatisticDataInfo: Codable, Sendable {
    /// The tags that the sessions' statements have.
    public var Name: String
    /// The mean time, in seconds.
    public var TimeAvg: Double
    public var TimeSum: Double
    public var Count: Int
}

extension StatDimension {
    /// The most dimensions of one request, and the most members of ``Data``.
    private static let most = (dimensions: 10, data: 100)

    /// - Throws: `InvalidParameterValue` for more of anything than makes sense.
    static func check(_ dimensions: [StatDimension]) throws(TencentCloudError) {
        guard dimensions.count <= most.dimensions else {
            throw .invalidValue("\(dimensions.map(\.Dimension.rawValue))", of: "StatDimensions")
        }
        for (index, dimension) in dimensions.enumerated() {
            guard let data = dimension.Data, data.count > most.data else { continue }
            throw .invalidValue("\(data.map(\.rawValue))", of: "StatDimensions.\(index).Data")
        }
    }

    func count(_ sessions: [Session]) -> StatisticInfo {
        var groups: [[UInt8]: (seconds: Int64, count: Int)] = [:]
        for session in sessions {
            guard let statement = session.details.statement else { continue }
            let tags = SqlTag.tags(of: statement)
            guard !tags.isEmpty, selects(tags) else { continue }
            var group = groups[SqlTag.name(of: tags)] ?? (0, 0)
            let (sum, isBeyond) = group.seconds.addingReportingOverflow(max(0, session.details.seconds ?? 0))
            group.seconds = isBeyond ? .max : sum
            group.count += 1
            groups[SqlTag.name(of: tags)] = group
        }
        let sorted = groups.sorted {
            $0.value.seconds == $1.value.seconds
                ? $0.key.lexicographicallyPrecedes($1.key) : $0.value.seconds > $1.value.seconds
        }
        return StatisticInfo(
            Dimension: self.Dimension.rawValue,
            Data: sorted.map { name, group in
                StatisticDataInfo(
                    Name: String(decoding: name, as: UTF8.self),
                    TimeAvg: Double(group.seconds) / Double(group.count), TimeSum: Double(group.seconds),
                    Count: group.count)
            })
    }

    /// The vendor's description can be read in two ways: as members that each
    /// hold a whole selection in brackets, and as the whole list in brackets, so
    /// that its members must all hold. Both are understood.
    private func selects(_ tags: [SqlTag]) -> Bool {
        guard let data = Data, !data.isEmpty else { return true }
        let bare = data.filter { !$0.isInBrackets }
        return !bare.isEmpty && bare.allSatisfy { $0.selects(tags) }
            || data.contains { $0.isInBrackets && $0.selects(tags) }
    }
}
