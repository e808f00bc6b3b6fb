/// The address at which a server listens: a host and a port.
public struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// A host name or an IP address, the latter without brackets.
    public let host: String
    /// 0 lets the system choose one.
    public let port: UInt16

    public init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Reads `host:port`, with an IPv6 address in brackets: `127.0.0.1:8155`,
    /// `localhost:0`, `[::1]:8155`.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"),
            let port = UInt16(text[text.index(after: colon)...]), !text[colon...].contains("+")
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty, !host.utf8.contains(0) else { return nil }
        self.init(host: String(host), port: port)
    }

    /// Whether only this machine can reach it, as far as its text tells.
    public var isOfThisMachineOnly: Bool {
        guard let address = IPAddress(host) else { return host.utf8.elementsEqual("localhost".utf8) }
        return address.network == nil
    }

    /// Whether nobody can listen at both.
    public func excludes(_ other: ListenAddress) -> Bool {
        guard port == other.port, port != 0 else { return false }
        if host.utf8.elementsEqual(other.host.utf8) { return true }
        guard let address = IPAddress(host), let otherAddress = IPAddress(other.host) else { return false }
        // Linux has a socket for all addresses of IPv6 take those of IPv4 too.
        return address == otherAddress || Self.all6 == address || Self.all6 == otherAddress
            || Self.all4 == address && otherAddress.ipv4 != nil || Self.all4 == otherAddress && address.ipv4 != nil
    }

    private static let all4 = IPAddress(ipv4: 0)
    private static let all6 = IPAddress(high: 0, low: 0)

    /// The form that ``init(_:)`` reads.
    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// A server cannot listen at its address.
public struct ListenError: Error, Sendable, CustomStringConvertible {
    public let address: ListenAddress
    public let reason: Reason

    public enum Reason: Hashable, Sendable {
        case inUse
        /// A port below 1024, mostly.
        case notPermitted
        case notOfThisMachine
        /// What the system says of the name.
        case noAddress(String)
        /// Another failure, in the system's words.
        case other(String)
    }

    public var description: String {
        let advice =
            switch reason {
            case .inUse:
                "the address is in use; `ss -ltnp` names the program that listens there: end it, or take another port"
            case .notPermitted:
                "not permitted; ports below 1024 are for root and for who has the capability CAP_NET_BIND_SERVICE: "
                    + "take another port"
            case .notOfThisMachine:
                "this machine has no such address; take one that `ip address` shows, or 0.0.0.0 for all of them"
            case .noAddress(let words): "\(words); take an address in digits"
            case .other(let words): words
            }
        return "cannot listen at \(address): \(advice)"
    }
}
