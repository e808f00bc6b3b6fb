import Accounts
import SessionKill
import Text

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
