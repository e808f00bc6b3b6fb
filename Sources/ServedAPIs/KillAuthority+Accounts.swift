import Accounts
import DBbrainAPI
import SessionKill
import Text

extension KillAuthority {
    /// What the accounts may do on the instances, and nobody else.
    ///
    /// - Parameters:
    ///   - configured: no two with the same name.
    ///   - instances: all that there are, and their nodes.
    init(accounts configured: [Account], instances: [SessionTaskTarget: Instance]) {
        let accounts = Dictionary(
            configured.map { (ExactText($0.name), $0) }, uniquingKeysWith: { first, _ in first })
        let decide: @Sendable (Request) -> Result<Instance, KillObstacle> = { request in
            guard let instance = instances[request.target] else { return .failure(.instanceNotConfigured) }
            guard let account = accounts[ExactText(request.account.rawValue)] else {
                return .failure(.accountNotConfigured)
            }
            let mayKill =
                request.purpose.needs.isSubset(of: account.permissions)
                && account.maySee(instance: request.target.instance.rawValue)
            guard mayKill else { return .failure(.notPermitted) }
            // Only a plan that somebody has seen can be approved.
            return instance.approvals.asks && request.purpose != .commit
                ? .failure(.approvalsNeeded) : .success(instance)
        }
        self.init(decide, accounts: configured.map(AccountRights.init)) { approval, plan in
            let account = accounts[ExactText(approval.caller.account.rawValue)]
            return account.map { approval.isProven(by: $0, of: plan) } ?? false
        }
    }
}

extension KillAuthority.AccountRights {
    fileprivate init(_ configured: Account) {
        self.init(
            account: AccountName(rawValue: configured.name), person: PersonName(rawValue: configured.person)
        ) { right, instance in
            switch right {
            case .prepare: configured.may(.prepare, on: instance.rawValue)
            case .approve: configured.may(.approve, on: instance.rawValue)
            case .commit: configured.may(.commit, on: instance.rawValue)
            case .breakGlass: configured.may(.breakGlass, on: instance.rawValue)
            }
        }
    }
}

extension KillAuthority.Purpose {
    /// What an account needs that has sessions ended in this way: what the actions ask for that begin it.
    fileprivate var needs: Set<Permission> {
        switch self {
        case .commit: [.commit]
        case .killTask: [.rule]
        case .sessionTask: [.prepare, .commit]
        }
    }
}
