import Text

/// Who may have sessions ended where, by the configuration of now.
///
/// What waits, in a queue or for a connection, may outlive the configuration
/// that it began with.
public struct KillAuthority: Sendable {
    /// As what a plan is carried out.
    public enum Purpose: Hashable, Sendable {
        /// Somebody commits a plan.
        case commit
        case killTask
        case sessionTask
    }

    public struct Request: Hashable, Sendable {
        /// Who asked.
        public let account: AccountName
        public let purpose: Purpose
        public let target: SessionTaskTarget
    }

    private let decide: @Sendable (Request) -> Result<Instance, KillObstacle>
    private let accounts: [AccountRights]
    private let verify: @Sendable (Decision, PlanOutline) -> Bool

    /// - Parameters:
    ///   - decide: the instance as it is configured now, or why nobody may be killed there.
    ///   - accounts: all that are configured.
    ///   - verify: whether the request that was kept of an approval is one by which its account approves of just this
    ///     plan, signed with the key that the account has now.
    public init(
        _ decide: @escaping @Sendable (Request) -> Result<Instance, KillObstacle>, accounts: [AccountRights] = [],
        verify: @escaping @Sendable (Decision, PlanOutline) -> Bool = { _, _ in false }
    ) {
        self.decide = decide
        self.accounts = accounts
        self.verify = verify
    }

    func instance(for request: Request) throws(KillObstacle) -> Instance { try decide(request).get() }
}

extension KillAuthority {
    /// What an account may do about plans.
    public struct AccountRights: Sendable {
        public enum Right: Hashable, Sendable { case prepare, approve, commit, breakGlass }

        public let account: AccountName
        /// Who acts through it.
        public let person: PersonName
        let may: @Sendable (Right, InstanceID) -> Bool

        public init(
            account: AccountName, person: PersonName, may: @escaping @Sendable (Right, InstanceID) -> Bool
        ) {
            self.account = account
            self.person = person
            self.may = may
        }
    }

    func person(of account: AccountName) -> PersonName? { accounts.first { $0.account == account }?.person }

    func may(_ right: AccountRights.Right, _ account: AccountName, on instance: InstanceID) -> Bool {
        accounts.contains { $0.account == account && $0.may(right, instance) }
    }

    /// The persons who may approve there, each once.
    func approvers(of instance: InstanceID) -> [PersonName] {
        let persons = Set(accounts.filter { $0.may(.approve, instance) }.map(\.person))
        return persons.sorted { ExactText($0.rawValue) < ExactText($1.rawValue) }
    }

    /// Whom a claim of a person's or an account's name means, in whatever capitals: the requester must not be able to
    /// approve because somebody spelled them otherwise.
    func person(meantBy claim: PersonName) -> PersonName {
        let name = claim.rawValue.lowercased()
        let meant = accounts.first {
            $0.person.rawValue.lowercased() == name || $0.account.rawValue.lowercased() == name
        }
        return meant?.person ?? claim
    }

    /// Whether an approval that was given still counts.
    func isValid(_ approval: Decision, of plan: PlanOutline) -> Bool {
        let caller = approval.caller
        return person(of: caller.account) == caller.person && may(.approve, caller.account, on: plan.instance)
            && verify(approval, plan)
    }
}

/// Why the configuration of now does not let a KILL be sent.
public enum KillObstacle: Error, Hashable, Sendable, CaseIterable {
    case instanceNotConfigured
    /// Its address or the account of killd is another one.
    case anotherServer
    case accountNotConfigured
    case notPermitted
    /// Somebody has to agree there, which nobody can to what ends sessions by itself.
    case approvalsNeeded
}

extension KillObstacle: CustomStringConvertible {
    /// The reason in a sentence.
    public var description: String {
        switch self {
        case .instanceNotConfigured: "the instance is not configured any more"
        case .anotherServer: "the server of the instance is configured in another way now"
        case .accountNotConfigured: "the account that asked for it is not configured any more"
        case .notPermitted: "the account that asked for it may not do so on the instance any more"
        case .approvalsNeeded: "the instance asks for approvals now, and nobody can approve what a task does"
        }
    }
}
