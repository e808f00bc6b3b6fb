/// Where a server listens: a host and a port.
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

    /// The form that ``init(_:)`` reads.
    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// A server cannot listen at its address.
public struct ListenError: Error, Sendable, CustomStringConvertible {
    public let address: ListenAddress
    /// The system's words, such as `bind: Address already in use`.
    public let reason: String

    public var description: String { "cannot listen at \(address): \(reason)" }
}
