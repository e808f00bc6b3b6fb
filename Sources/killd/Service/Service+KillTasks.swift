import Accounts
import ActionDispatch
import SessionKill
import Text

extension KillTask {
    /// Why the configuration does not let it run, if so: what its account may
    /// can have changed since it was created.
    func obstacle(among accounts: [Account]) -> KillTaskObstacle? {
        guard let account = accounts.first(where: { $0.name.isSame(as: account.rawValue) }) else {
            return .accountNotConfigured
        }
        let mayRun = account.permissions.contains(.rule) && account.maySee(instance: instance.rawValue)
        return mayRun ? nil : .notPermitted
    }
}
