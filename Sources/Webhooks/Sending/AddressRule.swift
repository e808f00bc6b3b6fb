public import HTTPServer

/// Which addresses a message may go to.
///
/// Receivers within one's own networks are what webhooks are for, so those are no exception. What is one hands out the
/// credentials of the machine to whoever asks there, is killd itself, or is no single host.
public struct AddressRule: Sendable {
    /// Exceptions, as the configuration names them.
    let allowed: [IPNetwork]
    /// Whether plain HTTP may leave this machine.
    let allowsPlain: Bool
    /// Where killd itself listens.
    let listeners: [ListenAddress]
    /// The addresses of this machine.
    let own: Set<IPAddress>

    public enum Refusal: Hashable, Sendable {
        case metadata
        case linkLocal
        case noHost
        case killd
        case plain
    }

    public init(allowed: [IPNetwork], allowsPlain: Bool, listeners: [ListenAddress], own: Set<IPAddress>) {
        self.allowed = allowed
        self.allowsPlain = allowsPlain
        self.listeners = listeners
        self.own = own
    }

    /// Why a message must not go there; nil if it may.
    func refusal(of address: IPAddress, port: UInt16, isPlain: Bool) -> Refusal? {
        let isLoopback = address.isLoopback
        if isPlain, !isLoopback, !allowsPlain { return .plain }
        let host = address.embeddedIPv4 ?? address
        if allowed.contains(where: { $0.contains(address) || $0.contains(host) }) { return nil }
        if Self.metadata.contains(host) { return .metadata }
        if Self.linkLocal.contains(where: { $0.contains(host) }) { return .linkLocal }
        if Self.noHost.contains(where: { $0.contains(host) }) || Self.unspecified.contains(host) { return .noHost }
        if isLoopback || own.contains(host), listeners.contains(where: { $0.mayAnswer(at: host, port) }) {
            return .killd
        }
        return nil
    }

    /// Where clouds tell a machine its credentials: AWS, Azure, Google, Tencent and most others are link-local too.
    private static let metadata = Set(
        [
            "169.254.169.254", "169.254.0.23", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254",
            "fd20:ce::254",
        ]
        .compactMap { IPAddress($0) })
    private static let linkLocal = ["169.254.0.0/16", "fe80::/10"].compactMap { IPNetwork($0) }
    private static let noHost = ["0.0.0.0/8", "224.0.0.0/4", "255.255.255.255/32", "ff00::/8"]
        .compactMap { IPNetwork($0) }
    private static let unspecified = Set(["::"].compactMap { IPAddress($0) })
}

extension AddressRule.Refusal: CustomStringConvertible {
    public var description: String {
        let allow = "if it is meant, name it in the target's allow"
        return switch self {
        case .metadata: "its address is one where a cloud hands out a machine's credentials; \(allow)"
        case .linkLocal: "its address is link-local; \(allow)"
        case .noHost: "its address is none of a single host; \(allow)"
        case .killd: "its address is killd's own; \(allow)"
        case .plain:
            "its name leads to another machine now, and plain http is for this one; use https, or set insecure"
        }
    }
}

extension ListenAddress {
    /// Whether who connects to this address of the machine may reach the listener.
    fileprivate func mayAnswer(at address: IPAddress, _ port: UInt16) -> Bool {
        guard port == self.port else { return false }
        // A name may stand for any.
        guard let listening = IPAddress(host) else { return true }
        return listening.isUnspecified || listening == address
    }
}
