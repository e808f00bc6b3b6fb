import Accounts
import SessionKill

extension AuditedConfiguration {
    /// What the audit says of a configuration: who may do what, and how many have to agree.
    init(_ configuration: Configuration, at occasion: Occasion) {
        self.init(
            occasion: occasion,
            accounts: configuration.accounts.map { account in
                Account(
                    name: AccountName(rawValue: account.name), person: PersonName(rawValue: account.person),
                    permissions: Permission.allCases.filter(account.permissions.contains).map(\.rawValue),
                    instances: account.instances.map(\.description))
            },
            approvals: configuration.instances.reduce(into: [:]) {
                $0[InstanceID(rawValue: $1.id)] = $1.approvals
            })
    }
}
