import Accounts
import ActionDispatch
import SessionKill
import Text

extension KillTask {
    /// Why the configuration does not let it run, if so: what its account may
    /// can have changed since it was created, and so can who has to agree.
    func obstacle(by configuration: Configuration) -> KillTaskObstacle? {
        guard let account = configuration.accounts.first(where: { $0.name.isSame(as: account.rawValue) }) else {
            return .accountNotConfigured
        }
        let mayRun = account.permissions.contains(.rule) && account.maySee(instance: instance.rawValue)
        guard mayRun else { return .notPermitted }
        let asks = configuration.instances.contains { $0.id.isSame(as: instance.rawValue) && $0.approvals.asks }
        return asks ? .approvalsNeeded : nil
    }
}
