import Parameters
import SessionKill

extension ApprovalPolicy {
    /// Reads `approvals` of an instance and what belongs to it.
    public init<Mistake>(_ reader: inout SettingsReader<Mistake>) throws(Mistake) {
        self.init()
        if case .object? = reader.value("approvals"), var grades = try reader.object("approvals") {
            for grade in RiskGrade.allCases { required[grade] = try grades.integer(grade.rawValue, in: 0...Self.most) }
            try grades.refuseUnknownKeys()
        } else if let number = try reader.integer("approvals", in: 0...Self.most) {
            for grade in RiskGrade.allCases { required[grade] = number }
        }
        for (lower, higher) in zip(RiskGrade.allCases, RiskGrade.allCases.dropFirst())
        where required(for: lower) > required(for: higher) {
            throw reader.error(
                "approvals",
                "\(lower.rawValue) asks for more approvals than \(higher.rawValue), of which a plan costs more")
        }
        thresholds.rows = try reader.integer("riskRows", in: 1...Int.max).map(UInt64.init) ?? thresholds.rows
        thresholds.sessions = try reader.integer("riskSessions", in: 1...1_000_000) ?? thresholds.sessions
        approvableFor = try reader.integer("approvableSeconds", in: 1...604_800) ?? approvableFor
        commitWithin = try reader.integer("commitWithinSeconds", in: 1...604_800) ?? commitWithin
    }

    private static let most = 100
}
