import Accounts
import Parameters
import SessionKill
import Text

extension ApprovalPolicy {
    /// Reads `approvals` and what belongs to it.
    init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
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

extension Configuration {
    /// Refuses persons whose names nobody could tell apart: whose approval counts would depend on a capital letter.
    func refuseSimilarPersons() throws(ConfigurationError) {
        guard instances.contains(where: \.approvals.asks) else { return }
        var known: [String: String] = [:]
        for (index, account) in accounts.enumerated() {
            let similar = known.updateValue(account.person, forKey: account.person.lowercased())
            guard let similar, !similar.isSame(as: account.person) else { continue }
            throw ConfigurationError(
                "accounts.\(index).person",
                "\"\(account.person)\" and \"\(similar)\" are the same but for capital letters or accents that look "
                    + "alike; give one person one spelling, or two persons two names")
        }
    }

    /// Refuses plans that could be made and never committed: for whoever may prepare one, there must be as many others
    /// who may approve it as an instance asks for at most.
    func requireSatisfiableApprovals() throws(ConfigurationError) {
        for (index, instance) in instances.enumerated() where instance.approvals.asks {
            let approvers = Set(accounts.filter { $0.may(.approve, on: instance.id) }.map { ExactText($0.person) })
            for account in accounts where account.may(.prepare, on: instance.id) {
                let others = approvers.subtracting([ExactText(account.person)])
                guard others.count < instance.approvals.highest else { continue }
                throw ConfigurationError(
                    "instances.\(index).approvals",
                    """
                    \(instance.id) asks for up to \(instance.approvals.highest) approvals, but of the plans that the \
                    account \(account.name) may prepare there only \(others.count) other person(s) may approve\
                    \(others.isEmpty ? "" : " (\(others.sorted().map(\.text).joined(separator: ", ")))"); give \
                    "approve" on it to accounts of other persons, or ask for fewer
                    """)
            }
        }
    }
}
