import Accounts
import HTTPServer

/// Something in a configuration that works, and is likely not to be meant.
struct ConfigurationFinding: Hashable, Sendable {
    /// Where in the file, e.g. `accounts.0.instances`.
    let key: String
    /// What it is, and what to do.
    let text: String
}

extension Configuration {
    var findings: [ConfigurationFinding] { plainListeners + idleAccounts }

    /// Listeners without TLS that other machines can reach.
    private var plainListeners: [ConfigurationFinding] {
        guard tls == nil else { return [] }
        return listeners.filter { !$0.address.isOfThisMachineOnly }.map { key, address in
            ConfigurationFinding(
                key: key,
                text: key == "operations.listen"
                    ? "whoever reaches \(address) can read metrics and the names of instances, unsigned; "
                        + "listen where only monitoring reaches it"
                    : "\(address) can be reached from other machines, and without tls all on the way can read what "
                        + "goes over it; set tls, or listen at 127.0.0.1 behind a proxy that has it")
        }
    }

    /// Accounts that name an instance there is none of.
    private var idleAccounts: [ConfigurationFinding] {
        accounts.enumerated().flatMap { index, account in
            account.instances.filter { pattern in !instances.contains { pattern.matches($0.id) } }.map { pattern in
                ConfigurationFinding(
                    key: "accounts.\(index).instances",
                    text: "the account \(account.name) may use \"\(pattern)\", but no instance has such an id; "
                        + "there are \(instances.map(\.id).listed)")
            }
        }
    }
}

extension [String] {
    /// The first few of them.
    fileprivate var listed: String {
        prefix(5).joined(separator: ", ") + (count > 5 ? " and \(count - 5) more" : "")
    }
}
